extension Workloads {
  /// First snapshots, and snapshots where nothing changed.
  static let capture: [Workload] = [
    Workload(
      name: "first-small", title: "First snapshot of 10,000 files, 105 MB",
      goals: [
        Goal(figure: .cpu, most: 0.9), Goal(figure: .peakMemory, most: 64e6),
        Goal(figure: .repository, most: 44e6),
      ],
      contenders: { try first(SmallFiles(), $0) }),
    Workload(
      name: "first-large", title: "First snapshot of large files, 432 MB",
      goals: [Goal(figure: .cpu, most: 1.5), Goal(figure: .repository, most: 215e6)],
      contenders: { try first(LargeFiles(), $0) }),
    Workload(
      name: "first-million", title: "First snapshot of 1,000,000 files",
      goals: [Goal(figure: .peakMemory, most: 100e6)], isLong: true, mostRuns: 1,
      contenders: { bench in
        try first(ManyFiles(count: 1_000_000, shape: .nested), bench).filter { $0.name == "dtm" }
      }),
    unchanged("unchanged-small", "10,000 files", SmallFiles(), most: 0.05),
    unchanged(
      "unchanged-nested", "100,000 files", ManyFiles(count: 100_000, shape: .nested), most: 0.3),
    unchanged(
      "unchanged-flat", "100,000 files in one directory",
      ManyFiles(count: 100_000, shape: .flat), most: 0.3),
  ]

  private static func first(_ dataset: any Dataset, _ bench: Bench) throws -> [Contender] {
    let tools = try bench.tools.map { tool in
      let place = try bench.place(tool.name, dataset)
      return Contender(
        name: tool.name,
        prepare: { _ in
          try bench.setAside(place.repository, place.home, place.tree + "/.dtm")
          try Files.makeDirectory(place.home)
          _ = try measure(tool.create(place))
        },
        measure: { _ in
          var measurement = try measure(tool.snapshot(place, 1))
          measurement[.repository] = try storedBytes(place.repository, place)
          return measurement
        })
    }
    let archive = try bench.bound("tar+zstd", dataset) { place in
      var measurement = try measure(Bounds.archive(place))
      measurement[.repository] = try storedBytes(place.output, place)
      return measurement
    }
    let digest = try bench.bound("sha256sum", dataset) { try measure(Bounds.digest($0)) }
    return tools + archive + digest
  }

  private static func unchanged(
    _ name: String, _ what: String, _ dataset: any Dataset, most: Double
  ) -> Workload {
    Workload(
      name: name, title: "No change in \(what), without the daemon",
      goals: [Goal(figure: .cpu, most: most)],
      contenders: { bench in
        try bench.prepared(dataset) { tool, place, round in tool.snapshot(place, round + 2) }
          + bench.bound("find", dataset) { try measure(Bounds.walk($0)) }
      })
  }
}
