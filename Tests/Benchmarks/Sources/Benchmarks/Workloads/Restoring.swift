extension Workloads {
  /// Whole snapshots into empty directories, and over a damaged tree.
  static let restoring: [Workload] = [
    Workload(
      name: "restore-small", title: "Restore of 10,000 files into an empty directory",
      goals: [Goal(figure: .cpu, most: 1.1, times: "cp -a")],
      contenders: { try restore(SmallFiles(), $0) }),
    Workload(
      name: "restore-large", title: "Restore of large files, 432 MB",
      goals: [Goal(figure: .cpu, most: 0.9)],
      contenders: { try restore(LargeFiles(), $0) }),
    Workload(
      name: "heal-small", title: "20 files corrupted, 10 deleted of 10,000: restored in place",
      goals: [
        Goal(figure: .cpu, most: 0.06), Goal(figure: .written, most: 2.5e6),
        Goal(figure: .cpu, most: 0.02, contender: "dtm, dtmd"),
        Goal(figure: .written, most: 2.5e6, contender: "dtm, dtmd"),
      ],
      contenders: heal),
  ]

  private static func restore(_ dataset: any Dataset, _ bench: Bench) throws -> [Contender] {
    let tools = try bench.prepared(
      dataset, before: { _, place, _ in try bench.emptyTarget(place) },
      commands: { tool, place, _ in tool.restore(place, 1) })
    let unpack = try bench.bound(
      "tar+zstd", dataset,
      before: { place in
        try bench.emptyTarget(place)
        _ = try measure(Bounds.archive(place))
      }, measure: { try measure(Bounds.unpack($0)) })
    let copy = try bench.bound(
      "cp -a", dataset, before: { try bench.emptyTarget($0) },
      measure: { try measure(Bounds.copy($0)) })
    return tools + unpack + copy
  }

  private static func heal(_ bench: Bench) throws -> [Contender] {
    let files = SmallFiles()
    let tools = try bench.prepared(
      files,
      before: { try Edits.damage(files, in: $1.tree, round: $2) },
      commands: { tool, place, _ in tool.restoreInPlace(place, 1) })
    // It may not record the damage before the restore: HEAD is the good state.
    let protected = try Protected(bench, files, quiet: "1h")
    let command = protected.contender(
      "dtm, dtmd",
      edit: { try Edits.damage(files, in: $0.tree, round: $1) },
      action: { try measure(bench.dtm.restoreInPlace($0, 1)) })
    return tools + [command]
  }
}
