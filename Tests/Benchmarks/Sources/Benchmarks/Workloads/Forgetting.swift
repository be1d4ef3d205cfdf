/// Histories that are pruned, and room that is freed.
extension Workloads {
  private static let snapshots = 10_000
  /// Of 10,000 files; each is stored whole again.
  private static let replaced = 5000

  static let forgetting: [Workload] = [
    Workload(
      name: "collect", title: "Half of 10,000 files, 105 MB, is not needed any more",
      goals: [
        Goal(figure: .wall, most: 1.5, times: "dtm snapshot", contender: "dtm snapshot, dtm gc")
      ],
      contenders: collect),
    Workload(
      name: "forget-many", title: "\(snapshots) snapshots of 10,000 files",
      goals: [
        Goal(figure: .wall, most: 1, contender: "dtm gc"),
        Goal(figure: .wall, most: 0.1, contender: "dtm prune --explain"),
      ],
      isLong: true, contenders: forgetMany),
  ]

  private static func collect(_ bench: Bench) throws -> [Contender] {
    let files = SmallFiles()
    let place = try bench.place("dtm", files)
    var round = 0
    func snapshot() throws -> Measurement {
      round += 1
      try Edits.change(10, of: files, in: place.tree, round: round, from: 8)
      return try measure(bench.dtm.snapshot(place, 1))
    }
    // The packs of the former states have to be written anew.
    func waste() throws {
      try bench.dtm.command(place, "snapshot", "-q").run()
      round += 1
      try Edits.change(replaced, of: files, in: place.tree, round: round, from: 7)
      try bench.dtm.command(place, "snapshot", "-q").run()
      try bench.dtm.command(place, "prune", "--keep-last", "1", "-q").run()
    }
    let collection = bench.dtm.command(place, "gc", "--now", "-q")
    return [
      Contender(
        name: "dtm gc",
        setUp: { _ = try measure(bench.dtm.create(place) + bench.dtm.snapshot(place, 1)) },
        prepare: { _ in try waste() }, measure: { _ in try collection.run() }),
      Contender(name: "dtm snapshot", measure: { _ in try snapshot() }),
      Contender(
        name: "dtm snapshot, dtm gc", prepare: { _ in try waste() },
        measure: { _ in
          let collecting = try Child(collection)
          defer { collecting.end() }
          var sum = try snapshot()
          var count = 1
          while try !collecting.hasEnded() {
            sum = try sum + snapshot()
            count += 1
          }
          _ = try collecting.wait()
          return sum.divided(by: count)
        }),
    ]
  }

  private static func forgetMany(_ bench: Bench) throws -> [Contender] {
    let files = SmallFiles()
    let protected = try Protected(bench, files, quiet: "1h")
    let place = protected.place
    return [
      protected.contender(
        "dtm gc",
        edit: { place, round in
          // The first one makes the history.
          if round > 0 { return }
          for number in 1..<snapshots {
            try Edits.change(1, of: files, in: place.tree, round: number, from: 9)
            try bench.dtm.command(place, "snapshot", "-q").run()
          }
        },
        action: { try bench.dtm.command($0, "gc", "-q").run() }),
      Contender(
        name: "dtm prune --explain",
        measure: { _ in
          try bench.dtm.command(place, "prune", "--dry-run", "--explain").run()
        }),
    ]
  }
}
