extension Workloads {
  /// Little changed, without the daemon.
  static let changes: [Workload] = [
    Workload(
      name: "changed-small", title: "10 files changed of 10,000, without the daemon",
      contenders: { bench in
        let files = SmallFiles()
        return try bench.prepared(
          files,
          before: { try Edits.change(10, of: files, in: $1.tree, round: $2) },
          commands: { $0.snapshot($1, $2 + 2) })
      }),
    Workload(
      name: "insert", title: "1 KiB inserted into a table of 107 MB",
      goals: [Goal(figure: .growth, most: 0.15e6)],
      contenders: { bench in
        let table = OneTable()
        return try bench.prepared(
          table,
          before: { _, place, round in
            try Edits.insertKibibyte(
              into: OneTable.path, length: OneTable.lengthInBytes, round: round, place)
          },
          commands: { $0.snapshot($1, $2 + 2) }
        ).map { $0.measuringGrowth(of: bench.place(named: $0.name)) }
      }),
  ]
}

extension Contender {
  /// The same, with the growth of a repository beside.
  fileprivate func measuringGrowth(of place: Place) -> Contender {
    Contender(
      name: name, setUp: setUp, prepare: prepare,
      measure: { round in
        let before = try storedBytes(place.repository, place)
        var measurement = try self.measure(round)
        measurement[.growth] = try storedBytes(place.repository, place) - before
        return measurement
      })
  }
}
