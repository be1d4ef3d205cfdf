import Glibc

/// A place that a daemon protects while a workload runs.
final class Protected {
  let place: Place
  private let bench: Bench
  private let quiet: String
  private let rules: [String]
  private var daemon: Daemon?
  private var bursts = 0

  /// Makes the place; the daemon starts with the first contender's set-up.
  ///
  /// `name`: what tells it from other places with the same data.
  init(
    _ bench: Bench, _ dataset: any Dataset, quiet: String, rules: [String] = [],
    name: String = "dtmd"
  ) throws {
    self.bench = bench
    self.quiet = quiet
    self.rules = rules
    place = try bench.place("\(name)-\(dataset.name)", dataset)
  }

  private func started() throws -> Daemon {
    if let daemon { return daemon }
    _ = try measure(bench.dtm.create(place) + bench.dtm.snapshot(place, 1))
    let daemon = try Daemon(bench.dtm, place, quiet: quiet, rules: rules)
    self.daemon = daemon
    return daemon
  }

  private func stop() throws {
    try daemon?.stop()
    daemon = nil
  }

  /// Edits the tree, then measures an action: from the last write to its end.
  ///
  /// `rounds`: the ones that count, all others have no figures.
  func contender(
    _ name: String, rounds: some RangeExpression<Int> = 0...,
    edit: @escaping (Place, _ round: Int) throws -> Void,
    action: @escaping (Place) throws -> Measurement,
    facts: @escaping (Daemon) throws -> Measurement = { _ in Measurement() }
  ) -> Contender {
    Contender(
      name: name,
      setUp: { _ = try self.started() },
      measure: { round in
        guard rounds.contains(round) else { return Measurement() }
        try edit(self.place, round)
        let last = ContinuousClock.now
        var measurement = try self.started().measuring { try action(self.place) }
        measurement[.commit] = last.duration(to: .now) / .seconds(1)
        return try measurement + facts(self.started())
      },
      tearDown: { try self.stop() })
  }

  /// Makes so many files in one new directory; costs nobody measures but in wall time.
  func burst(_ count: Int) throws -> Measurement {
    bursts += 1
    let directory = "\(place.tree)/burst-\(bursts)"
    try Files.makeDirectory(directory)
    for number in 0..<count { try Files.write([7], to: "\(directory)/\(number)") }
    return Measurement()
  }

  /// What it does in a minute in which nothing happens.
  func minute(_ name: String) -> Contender {
    Contender(
      name: name,
      setUp: { _ = try self.started() },
      measure: { _ in
        let daemon = try self.started()
        // What the last question brought about is over by then.
        sleep(3)
        return try daemon.measuring {
          sleep(60)
          return Measurement()
        }
      },
      tearDown: { try self.stop() })
  }

  /// What the daemon holds, newly started each round.
  func idle(_ name: String) -> Contender {
    Contender(
      name: name,
      prepare: { _ in
        try self.stop()
        _ = try self.restarted()
      },
      measure: { _ in try self.started().idle() },
      tearDown: { try self.stop() })
  }

  /// A new start each round: from it until everything was looked at that changed meanwhile.
  func start(_ name: String) -> Contender {
    Contender(
      name: name,
      setUp: { _ = try self.started() },
      prepare: { _ in try self.stop() },
      measure: { _ in
        let began = ContinuousClock.now
        let daemon = try self.restarted()
        let lasted = began.duration(to: .now)
        var measurement = try daemon.idle()
        measurement[.commit] = lasted / .seconds(1)
        return measurement
      },
      tearDown: { try self.stop() })
  }

  private func restarted() throws -> Daemon {
    if !Files.isThere(place.repository) { return try started() }
    let daemon = try Daemon(bench.dtm, place, quiet: quiet, rules: rules)
    self.daemon = daemon
    return daemon
  }
}
