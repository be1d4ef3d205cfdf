extension Workloads {
  /// What asks a repository.
  static let reading: [Workload] = [
    Workload(
      name: "verify", title: "All data of 432 MB read and checked",
      goals: [Goal(figure: .cpu, most: 0.6)],
      contenders: { bench in
        try bench.prepared(LargeFiles(), commands: { tool, place, _ in tool.verify(place) })
      }),
    Workload(
      name: "diff", title: "Difference of two snapshots, 10 of 10,000 files changed",
      goals: [Goal(figure: .cpu, most: 0.005)],
      contenders: { bench in
        let files = SmallFiles()
        return try bench.prepared(
          files,
          setUp: { tool, place in
            try Edits.change(10, of: files, in: place.tree, round: 0)
            _ = try measure(tool.snapshot(place, 2))
          },
          commands: { tool, place, _ in try tool.difference(place) })
      }),
    Workload(
      name: "cat", title: "One small file out of a snapshot of 10,000",
      goals: [Goal(figure: .cpu, most: 0.005)],
      contenders: { bench in
        let files = SmallFiles()
        return try bench.prepared(
          files,
          commands: { tool, place, round in
            tool.content(place, 1, files.path((round * 1237 + 4711) % files.count))
          })
      }),
  ]
}
