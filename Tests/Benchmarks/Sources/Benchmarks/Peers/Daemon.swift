import Glibc

/// `dtmd`, protecting one place's tree.
final class Daemon {
  private let child: Child
  private let dtm: DTM
  private let place: Place

  /// Starts it and waits until it has looked at everything.
  ///
  /// `quiet`: how long nothing may be written before it takes a snapshot by itself. `rules`: JSON objects.
  init(_ dtm: DTM, _ place: Place, quiet: String, rules: [String] = []) throws {
    self.dtm = dtm
    self.place = place
    let configuration = """
      {"folders": [{"path": "\(place.tree)", "repository": "\(place.repository)",
        "rules": [\(rules.joined(separator: ", "))],
        "settle": {"quiet": "\(quiet)", "minInterval": "0s", "atMost": "24h"}}]}
      """
    try Files.write(Array(configuration.utf8), to: place.home + "/dtmd.json")
    var command = Command(
      "\(dtm.programs)/dtmd", "run", "--config", place.home + "/dtmd.json",
      "--socket", place.home + "/dtmd.sock", "--log", "stderr")
    command.directory = place.base
    child = try Child(command)
    do {
      try awaitAnswer()
      try dtm.command(place, "wait", "--timeout", "10m", "-q").run()
    } catch {
      child.end()
      throw error
    }
  }

  /// Polls for the socket: nothing tells of one before it is there.
  private func awaitAnswer() throws {
    let limit = ContinuousClock.now.advanced(by: .seconds(60))
    while true {
      do {
        try statusCommand.run()
        return
      } catch let failure as Failure {
        if ContinuousClock.now > limit { throw failure }
        usleep(20_000)
      }
    }
  }

  private var statusCommand: Command {
    var command = Command("\(dtm.programs)/dtmd", "status", "--json")
    command.accepted = [0, 1, 2]  // 3: not running
    return command.with(dtm.command(place).environment)
  }

  /// What an action costs: the command's own figures and the daemon's together, the daemon's CPU and
  /// the daemon's peak apart.
  func measuring(_ action: () throws -> Measurement) throws -> Measurement {
    let facts = ProcessFacts(of: child.identifier)
    let cpu = try facts.cpuSeconds()
    let written = facts.bytesWritten
    var measurement = try action()
    let daemon = try facts.cpuSeconds() - cpu
    measurement[.daemon] = daemon
    measurement[.cpu] = (measurement[.cpu] ?? 0) + daemon
    measurement[.written] = (measurement[.written] ?? 0) + Double(facts.bytesWritten - written)
    measurement[.peakMemory] = Double(facts.residentPeak)
    return measurement
  }

  /// What it holds while nothing happens.
  func idle() throws -> Measurement {
    let facts = ProcessFacts(of: child.identifier)
    try statusCommand.writing(to: place.output).run()
    let status = Files.text(place.output) ?? ""
    let watched = status.split(separator: "\"watchedDirectories\": ").dropFirst().first
    return Measurement([
      .resident: Double(facts.resident), .anonymous: Double(facts.residentAnonymous),
      .fileBacked: Double(facts.residentFile), .peakMemory: Double(facts.residentPeak),
      .cpu: try facts.cpuSeconds(),
      .watched: watched.flatMap { Double($0.prefix(while: \.isNumber)) } ?? 0,
    ])
  }

  /// How often the kernel dropped events.
  func overflows() throws -> Measurement {
    try statusCommand.writing(to: place.output).run()
    let status = Files.text(place.output) ?? ""
    let count = status.split(separator: "\"overflows\": ").dropFirst().first
    return Measurement([.overflows: count.flatMap { Double($0.prefix(while: \.isNumber)) } ?? -1])
  }

  func stop() throws { try child.terminate() }

  deinit { child.end() }
}
