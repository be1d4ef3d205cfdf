import DTMSystem
import DTMTestSupport
import Testing

/// A folder and what its history has to hold: random operations through `dtm`, and after each one what
/// became of the snapshots.
final class HistoryModel {
  typealias Content = [String: [UInt8]]

  /// What may be done; the more often it is named, the more often it is.
  enum Step: CaseIterable {
    case snapshot, checkout, newBranch, branch, deleteBranch, tag, untag, pin, unpin, label, prune
    case forget, undo, redo, collect, collectNow, erase, restore, restorePath, verify, carry

    var weight: Int {
      switch self {
      case .snapshot: 30
      case .undo: 10
      case .checkout, .restore, .restorePath: 6
      case .tag, .prune: 5
      case .newBranch, .branch, .forget, .redo, .erase, .collectNow: 4
      case .deleteBranch, .untag, .pin, .unpin, .collect: 3
      case .label, .verify: 2
      case .carry: 1
      }
    }

    /// Whether snapshots may go out of history, or come back to it.
    var takesAway: Bool {
      switch self {
      case .prune, .forget, .deleteBranch, .untag, .undo, .redo, .erase, .collectNow, .unpin: true
      default: false
      }
    }
  }

  private static let paths = ["a", "b", "d/x", "d/y", "e/f/g", "s1", "s2", "s3"]

  private let work: Workspace
  private var generator: SplitMix
  /// What each snapshot that was ever seen holds.
  private var contents: [String: Content] = [:]
  private var count = 0
  private(set) var done: [String] = []

  init(_ work: Workspace, _ generator: SplitMix) throws {
    self.work = work
    self.generator = generator
    try work.good("init", "--no-first-snapshot", "-q")
  }

  /// Does something, and holds what came of it against what is known.
  func step() throws {
    count += 1
    let step = pick(Step.allCases.flatMap { Array(repeating: $0, count: $0.weight) }) ?? .snapshot
    done.append("\(step)")
    let before = try reachable()
    try perform(step, before)
    let after = try learn()
    if !step.takesAway { #expect(before.isSubset(of: after), "\(step) took something away") }
    for id in [pick(after.sorted()), pick(after.sorted())].compactMap({ $0 }) {
      #expect(try content(of: id) == contents[id], "\(id) is another one after \(step)")
    }
  }

  private func perform(_ step: Step, _ history: Set<String>) throws {
    let id = pick(history.sorted())
    switch step {
    case .snapshot:
      try edit()
      contents[try work.snapshot().id()] = try working()
    case .collect: try work.good("gc")
    case .collectNow: try work.good("gc", "--now")
    case .verify: try work.good("verify", "--all", "--read-data")
    case .undo, .redo: try run(["\(step)"], 0, 66, 75)
    case .prune: try work.good("prune", "--keep-last", "\(1 + generator.below(5))")
    case .erase: try erase(pick(Self.paths) ?? "a", history.count)
    case .checkout:
      guard let branch = pick(try names("branch")) else { return }
      try work.good("checkout", branch, "-q")
    case .deleteBranch:
      let others = try json("branch").filter { $0["current"]?.bool == false }
        .compactMap { $0["name"]?.string }
      if let branch = pick(others) { try work.good("branch", "-d", branch) }
    case .untag: if let tag = pick(try names("tag")) { try work.good("tag", "-d", tag) }
    case .newBranch, .branch, .tag, .pin, .unpin, .label, .forget, .restore, .restorePath, .carry:
      if let id { try perform(step, at: id) }
    }
  }

  private func perform(_ step: Step, at id: String) throws {
    switch step {
    case .branch: try work.good("branch", "branch\(count)", id)
    case .tag: try work.good("tag", "tag\(count)", id)
    case .pin: try run(["pin", id], 0, 64, 66, 73)
    case .unpin: try run(["unpin", id], 0, 64, 66)
    case .label: try work.good("label", id, "k\(count)=v")
    case .forget: try run(["forget", id], 0, 64)
    case .newBranch:
      try work.good("checkout", "-b", "made\(count)", id, "-q")
      #expect(try working() == contents[id])
    case .restore:
      let before = try working()
      try work.good("restore", "--at", id, "-q")
      #expect(try working() == contents[id])
      if try working() == before || generator.oneIn(2) { return }
      try learn()
      try work.good("undo", "-q")
      #expect(try working() == before, "undo of a restore")
    case .restorePath:
      guard let content = contents[id], let path = pick(content.keys.sorted()) else { return }
      try work.good("restore", "--at", id, "--", path)
      #expect(try working()[path] == content[path])
    default:
      let archive = work.path("archive-\(count).tar")
      try work.good("export", id, "-o", archive)
      try run(["import", archive], 0, 64)
    }
  }

  /// Takes a path out of all history; the folder has it still.
  private func erase(_ path: String, _ count: Int) throws {
    let before = try working()
    let erased = try run(["erase", "/" + path, "--confirm", "lake", "--json"], 0, 1)
    #expect(try working() == before)
    let left = try erased.json()["leftObjects"]?.int
    #expect(left == 0, "\(left ?? -1) objects are left of \(path)")
    for (id, content) in contents where content[path] != nil {
      #expect(try run(["cat", id, path], 0, 66).status == 66, "\(path) is still in \(id)")
    }
    let history = try snapshots()
    #expect(history.count == count)
    for snapshot in history where contents[try snapshot.id()] == nil {
      let former = try #require(snapshot["rewrittenFrom"]?.string.flatMap { contents[$0] })
      contents[try snapshot.id()] = former.filter { $0.key != path }
    }
    for snapshot in history { #expect(contents[try snapshot.id()]?[path] == nil) }
  }

  // MARK: - Looking

  /// What `log` knows of all branches and tags; what is new there is read once, and held from then on.
  @discardableResult
  private func learn() throws -> Set<String> {
    let ids = try reachable()
    for id in ids where contents[id] == nil { contents[id] = try content(of: id) }
    return ids
  }

  private func reachable() throws -> Set<String> { Set(try snapshots().map { try $0.id() }) }

  private func snapshots() throws -> [JSONNode] {
    try #require(try work.good("log", "--all", "--json").json().array)
  }

  private func json(_ verb: String) throws -> [JSONNode] {
    try #require(try work.good(verb, "--json").json().array)
  }

  private func names(_ verb: String) throws -> [String] {
    try json(verb).compactMap { $0["name"]?.string }
  }

  private func content(of id: String) throws -> Content {
    let directory = work.path("out")
    try work.shell("rm -rf out")
    try work.good("restore", "--at", id, "--to", directory, "-q")
    return try Self.content(directory)
  }

  func working() throws -> Content { try Self.content(work.lake) }

  private static func content(_ directory: String) throws -> Content {
    var content: Content = [:]
    for path in paths where Files.exists("\(directory)/\(path)") {
      content[path] = try Files.read("\(directory)/\(path)")
    }
    return content
  }

  // MARK: - Doing

  private func edit() throws {
    for _ in 0..<(1 + generator.below(3)) {
      let path = pick(Self.paths) ?? "a"
      if Files.exists(work.file(path)), generator.oneIn(3) {
        try work.shell("rm 'lake/\(path)'")
        continue
      }
      let bytes: [UInt8] =
        generator.oneIn(2)
        ? (0..<(1 + generator.below(3000))).map { _ in UInt8(generator.below(256)) }
        : Array(
          String(repeating: "row \(generator.below(5))\n", count: 1 + generator.below(200)).utf8)
      try work.write(path, bytes)
    }
  }

  @discardableResult
  private func run(_ arguments: [String], _ allowed: Int32...) throws -> Outcome {
    let outcome = try work.start("dtm", arguments).finish()
    try #require(
      allowed.contains(outcome.status),
      "\(outcome.command): \(outcome.status): \(outcome.errorText)")
    return outcome
  }

  private func pick<Element>(_ elements: [Element]) -> Element? {
    elements.isEmpty ? nil : elements[generator.below(elements.count)]
  }
}
