import DTMSystem
import DTMTestSupport
import Glibc
import Testing

/// Many processes on one folder at once, some stopped, some killed.
@Suite(.needsPrograms, .serialized) struct `Many processes at once` {
  private static let steps = LongForm.isAsked ? 600 : 90
  private static let tiny = LongForm.isAsked ? 1000 : 150

  @Test(arguments: [false, true])
  func `lose nothing that was acknowledged, and wait for no dead one`(hasDaemon: Bool) throws {
    let crowd = try Crowd(hasDaemon: hasDaemon)
    for _ in 0..<Self.steps { try crowd.step() }
    try crowd.finish()
    print("\(hasDaemon ? "with a daemon" : "without a daemon"): \(crowd.summary)")
    #expect(crowd.acknowledged.count > 3)
  }

  @Test func `each with a tiny snapshot leave a handful of packs`() throws {
    let work = try Workspace()
    try work.write("x", "0\n")
    try work.good("init", "--no-first-snapshot")
    // Two at a time: each adopts what another left, or waits for the folder.
    var waiting: [ChildProcess] = []
    for number in 1...Self.tiny {
      try work.write("x", "\(number)\n")
      waiting.append(try work.start("dtm", ["snapshot", "--quiet"]))
      if waiting.count == 2 {
        let outcome = waiting.removeFirst().finish()
        #expect(outcome.status == 0, "\(outcome.errorText)")
      }
    }
    for child in waiting { #expect(child.finish().status == 0) }
    #expect(try work.log().count == Self.tiny)
    let packs = try work.shell("ls lake/.dtm/live lake/.dtm/packs | grep -c '\\.data\\|\\.meta'")
    #expect(Int(packs.filter(\.isNumber)) ?? 99 <= 4, "\(packs)")
    #expect(try work.dtm("verify", "--all", "--read-data").status == 0)
  }
}

/// A folder, and the processes at work on it.
private final class Crowd {
  private enum Job {
    case snapshot, restore, read, collect, forget
  }
  private struct Member {
    let job: Job
    let what: String
    let child: ChildProcess
    var isStopped = false
    var isKilled = false
  }

  private let work = try! Workspace()
  private var daemon: Daemon?
  private var generator: SplitMix
  private var members: [Member] = []
  private var versions: [String: Set<String>] = [:]
  private(set) var acknowledged: [String] = []
  private var forgotten: Set<String> = []
  private var counts: [String: Int] = [:]
  private var number = 0

  var summary: String {
    counts.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", ")
  }

  init(hasDaemon: Bool) throws {
    generator = SplitMix.fresh("many processes\(hasDaemon ? " and a daemon" : "")")
    for file in 0..<6 { try change(file) }
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
    if hasDaemon { daemon = try Daemon(work) }
    acknowledged.append(try work.snapshot().id())
  }

  /// The file is replaced, so that no snapshot may hold a torn one.
  private func change(_ file: Int) throws {
    number += 1
    let text = "\(number) " + String(repeating: "\(generator.next()) ", count: 1 + file * file * 20)
    versions["f\(file)", default: []].insert(text)
    try Files.write(work.path("new"), Array(text.utf8))
    try #require(unsafe rename(work.path("new"), work.file("f\(file)")) == 0)
  }

  private func start(_ job: Job, _ arguments: String...) throws {
    members.append(
      Member(
        job: job, what: arguments.joined(separator: " "),
        child: try work.start("dtm", arguments)))
  }

  func step() throws {
    try change(generator.below(6))
    let id = acknowledged[generator.below(acknowledged.count)]
    switch generator.below(19) {
    case 0..<6: try start(.snapshot, "snapshot", "--json")
    case 6: try start(.restore, "restore", "--at", id, "f\(generator.below(6))", "--json")
    case 7: try start(.read, "log", "--json")
    case 8: try start(.read, "cat", id, "f\(generator.below(6))")
    case 9: try start(.read, "restore", "--at", id, "--to", work.path("back-\(number)"))
    case 10: try start(.read, "verify", "--all", "--json")
    case 16: try start(.collect, "gc", "--json")
    case 17: try start(.collect, "gc", "--now", "--json")
    case 18: try forget()
    case 11, 12: signal(SIGKILL)
    case 13, 14: signal(SIGSTOP)
    default: goOn()
    }
    usleep(UInt32(generator.below(8000)))
    reap()
    while members.count >= 6 {
      if members.allSatisfy(\.isStopped) { goOn() }
      usleep(2000)
      reap()
      // Who waits for a stopped one would wait for half a minute.
      if generator.oneIn(200) { goOn() }
    }
  }

  /// Gives up a snapshot that nobody reads just now: its content may go.
  private func forget() throws {
    guard acknowledged.count > 3, members.allSatisfy({ $0.job != .read && $0.job != .restore })
    else { return }
    let id = acknowledged[generator.below(acknowledged.count - 1)]
    forgotten.insert(id)
    acknowledged.removeAll { $0 == id }
    try start(.forget, "forget", id)
  }

  private func signal(_ signal: Int32) {
    if daemon != nil, signal == SIGSTOP, generator.oneIn(3) {
      daemon?.process.send(SIGSTOP)
      count("daemon stopped")
      return
    }
    guard let index = members.indices.randomElement(using: &generator) else { return }
    members[index].child.send(signal)
    if signal == SIGKILL { members[index].isKilled = true }
    if signal == SIGSTOP { members[index].isStopped = true }
    count(signal == SIGKILL ? "killed" : "stopped")
  }

  private func goOn() {
    daemon?.process.send(SIGCONT)
    for index in members.indices where members[index].isStopped {
      members[index].child.send(SIGCONT)
      members[index].isStopped = false
    }
  }

  private func reap() {
    var rest: [Member] = []
    for member in members {
      if member.child.hasEnded { end(member) } else { rest.append(member) }
    }
    members = rest
  }

  private func end(_ member: Member) {
    let outcome = member.child.finish()
    // What was printed counts, even when the process was killed right after.
    if member.job == .snapshot, let id = try? JSONNode(parsing: outcome.output)["id"]?.string {
      // A daemon answers several with one, some of them late.
      if !forgotten.contains(id) { acknowledged.append(id) }
      count("snapshots")
    }
    if member.isKilled && outcome.status == 128 + SIGKILL { return }
    let good: [Int32] =
      switch member.job {
      case .snapshot: [0, 3, 75]
      case .restore: [0, 3, 75]
      case .collect: [0, 3, 75]
      // The newest one stays.
      case .forget: [0, 64, 75]
      case .read: [0]
      }
    if outcome.status == 75 { count("busy") } else { count("\(member.job) done") }
    if !good.contains(outcome.status) {
      Issue.record("\(member.what): \(outcome.status): \(outcome.errorText)\(outcome.text)")
    }
  }

  private func count(_ what: String) { counts[what, default: 0] += 1 }

  func finish() throws {
    goOn()
    for member in members { end(member) }
    members = []
    // A restore that was killed is finished first, and nobody waits for a lock.
    let last = try work.start("dtm", ["snapshot", "--json"]).finish(within: .seconds(10))
    try #require(last.status == 0, "\(last.errorText)")
    acknowledged.append(try last.json().id())
    let ids = Set(try work.log().map { try $0.id() })
    for id in acknowledged where !ids.contains(id) { Issue.record("\(id) is lost") }
    let verified = try work.dtm("verify", "--all", "--read-data", "--json")
    #expect(verified.status == 0, "\(verified.text)\(verified.errorText)")
    for id in acknowledged.shuffled(using: &generator).prefix(8) {
      for file in versions.keys.sorted() {
        let text = try work.good("cat", id, file).text
        #expect(versions[file]?.contains(text) == true, "\(id) has a torn \(file)")
      }
    }
    if let daemon { #expect(daemon.stop() == 0) }
  }
}
