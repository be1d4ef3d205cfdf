import Glibc

extension Workloads {
  /// Rules of a folder under the daemon.
  static let ruled: [Workload] = [
    marker("marker-nested", "100,000", ManyFiles(count: 100_000, shape: .nested)),
    marker(
      "marker-million", "1,000,000", ManyFiles(count: 1_000_000, shape: .nested), isLong: true),
    Workload(
      name: "rules", title: "10,000 events a second for 10 s, under dtmd",
      goals: [Goal(figure: .daemon, most: 1, contender: "1,000 rules")], mostRuns: 3,
      contenders: { bench in
        let rules = (0..<1000).map { number in
          #"{"name": "r\#(number)", "on": {"marker": "stage-\#(number)/**/_SUCCESS"}}"#
        }
        return try [("1,000 rules", rules), ("no rules", [])].map { name, rules in
          let files = ManyFiles(count: 1000, shape: .flat)
          let protected = try Protected(
            bench, files, quiet: "1h", rules: rules, name: rules.isEmpty ? "plain" : "ruled")
          return protected.contender(
            name, edit: { _, _ in }, action: { try steadily(in: $0.tree) })
        }
      }),
  ]

  private static func marker(
    _ name: String, _ what: String, _ dataset: any Dataset, isLong: Bool = false
  ) -> Workload {
    Workload(
      name: name, title: "Marker of 200 new files in a folder of \(what), until its snapshot",
      goals: [Goal(figure: .commit, most: 0.1, contender: "dtmd")], isLong: isLong,
      contenders: { bench in
        let protected = try Protected(
          bench, dataset, quiet: "1h",
          rules: [#"{"name": "done", "on": {"marker": "**/_SUCCESS"}}"#])
        var newest = ""
        return [
          protected.contender(
            "dtmd",
            edit: { place, round in
              newest = try head(bench, place)
              for number in 0..<200 {
                try Files.write(
                  [UInt8(number)], to: "\(place.tree)/boundary-\(round)/part-\(number)")
              }
              try Files.write([], to: "\(place.tree)/boundary-\(round)/_SUCCESS")
            },
            action: { place in
              let limit = ContinuousClock.now.advanced(by: .seconds(60))
              // Asking takes some milliseconds, which count.
              while try head(bench, place) == newest {
                if ContinuousClock.now > limit { throw Failure("the marker made no snapshot") }
              }
              return Measurement()
            })
        ]
      })
  }

  private static func head(_ bench: Bench, _ place: Place) throws -> String {
    try bench.dtm.command(place, "log", "-n", "1", "-q").writing(to: place.output).run()
    return Files.text(place.output) ?? ""
  }

  /// Makes 5,000 files a second for ten seconds: each is created and closed.
  private static func steadily(in tree: String) throws -> Measurement {
    let begin = ContinuousClock.now
    for step in 0..<1000 {
      for number in 0..<50 { try Files.write([7], to: "\(tree)/stage-\(step)/\(number)") }
      let next = begin.advanced(by: .milliseconds(10 * (step + 1)))
      let pause = ContinuousClock.now.duration(to: next) / .microseconds(1)
      if pause > 0 { usleep(UInt32(pause)) }
    }
    return Measurement()
  }
}
