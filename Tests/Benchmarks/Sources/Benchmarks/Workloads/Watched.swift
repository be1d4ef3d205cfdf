extension Workloads {
  /// Under the daemon.
  static let watched: [Workload] = [
    changed("daemon-small", "10,000", SmallFiles()),
    changed("daemon-nested", "100,000", ManyFiles(count: 100_000, shape: .nested)),
    changed("daemon-flat", "100,000 in one directory", ManyFiles(count: 100_000, shape: .flat)),
    changed(
      "daemon-million", "1,000,000", ManyFiles(count: 1_000_000, shape: .nested), isLong: true),
    changed(
      "daemon-million-flat", "1,000,000 in one directory",
      ManyFiles(count: 1_000_000, shape: .flat), isLong: true),
    start("start-nested", "100,000 files", ManyFiles(count: 100_000, shape: .nested)),
    start(
      "start-million", "1,000,000 files", ManyFiles(count: 1_000_000, shape: .nested), isLong: true),
    Workload(
      name: "burst", title: "100,000 files made in a burst, under dtmd",
      goals: [Goal(figure: .overflows, most: 0, contender: "automatic, quiet \(quiet)")],
      contenders: { bench in
        let protected = try Protected(bench, ManyFiles(count: 1000, shape: .flat), quiet: quiet)
        return [
          protected.contender(
            "automatic, quiet \(quiet)",
            edit: { _, _ in },
            action: { place in
              let made = try protected.burst(100_000)
              return try made + bench.dtm.command(place, "wait", "--timeout", "300s", "-q").run()
            },
            facts: { try $0.overflows() })
        ]
      }),
    Workload(
      name: "idle-minute", title: "dtmd idle for a minute, 10,000 files",
      goals: [Goal(figure: .daemon, most: 0, contender: "dtmd")], mostRuns: 2,
      contenders: { [try Protected($0, SmallFiles(), quiet: quiet).minute("dtmd")] }),
    idle("idle-small", "10,000 files", SmallFiles()),
    idle("idle-nested", "100,000 files", ManyFiles(count: 100_000, shape: .nested)),
    idle("idle-flat", "100,000 files in one directory", ManyFiles(count: 100_000, shape: .flat)),
  ]

  private static let quiet = "200ms"

  private static func changed(
    _ name: String, _ what: String, _ dataset: any Dataset, isLong: Bool = false
  ) -> Workload {
    Workload(
      name: name, title: "10 files changed of \(what), under dtmd",
      goals: ["dtm snapshot", "first dtm snapshot", "automatic, quiet \(quiet)"].map {
        Goal(figure: .daemon, most: 0.01, contender: $0)
      } + [Goal(figure: .commit, most: 0.25, contender: "automatic, quiet \(quiet)")],
      isLong: isLong,
      contenders: { bench in
        let protected = try Protected(bench, dataset, quiet: quiet)
        let snapshot: (Place) throws -> Measurement = { try measure(bench.dtm.snapshot($0, 2)) }
        return [
          protected.contender(
            "first dtm snapshot", rounds: 0...0,
            edit: { try Edits.change(10, of: dataset, in: $0.tree, round: $1, from: 4) },
            action: snapshot),
          protected.contender(
            "dtm snapshot",
            edit: { try Edits.change(10, of: dataset, in: $0.tree, round: $1, from: 5) },
            action: snapshot),
          protected.contender(
            "automatic, quiet \(quiet)",
            edit: { try Edits.change(10, of: dataset, in: $0.tree, round: $1, from: 6) },
            action: { try bench.dtm.command($0, "wait", "--timeout", "60s", "-q").run() }),
        ]
      })
  }

  private static func start(
    _ name: String, _ what: String, _ dataset: any Dataset, isLong: Bool = false
  ) -> Workload {
    Workload(
      name: name, title: "dtmd started, until \(what) are looked at",
      goals: [Goal(figure: .commit, most: 3, contender: "dtmd")], isLong: isLong,
      contenders: { [try Protected($0, dataset, quiet: quiet).start("dtmd")] })
  }

  private static func idle(_ name: String, _ what: String, _ dataset: any Dataset) -> Workload {
    Workload(
      name: name, title: "dtmd idle, \(what), after its start",
      goals: [Goal(figure: .resident, most: 20 * 1024 * 1024, contender: "dtmd")],
      contenders: { [try Protected($0, dataset, quiet: quiet).idle("dtmd")] })
  }
}
