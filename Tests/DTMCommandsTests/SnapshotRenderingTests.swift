import DTMCommands
import DTMFolder
import DTMRepository
import DTMSystem
import SystemPackage
import Testing

/// Snapshots, restores and statuses as text and JSON, from values that are the same each time.
@Suite struct `Rendering` {
  private static let id = "7f3a9c2e" + String(repeating: "0", count: 56)
  private static let parent = "2b90d1aa" + String(repeating: "1", count: 56)

  private func invocation(width: Int? = nil) -> Invocation {
    let sink = MemorySink(terminal: width.map { TerminalSize(columns: $0, rows: 24) })
    let invocation = Invocation(
      arguments: [], environment: ["NO_COLOR": "1"], output: sink, errors: sink,
      time: FixedTime(), calendar: LocalCalendar(zone: "UTC"), user: 0
    ) { "/" }
    return invocation
  }

  private struct FixedTime: TimeSource {
    func now() -> Timestamp { CommandFixture.now }
    func monotonic() -> Duration { .seconds(1) }
  }

  private func report(
    minutesAgo: Int = 2, _ change: (inout Snapshot) -> Void = { _ in }
  ) throws -> SnapshotReport {
    let tree = try #require(ObjectID(hex: String(repeating: "ab", count: 32)))
    let folder = try #require(PackID(hex: String(repeating: "cd", count: 16)))
    var snapshot = Snapshot(
      tree: tree, parent: ObjectID(hex: Self.parent), branch: "main",
      time: CommandFixture.now.advanced(by: .seconds(-60 * minutesAgo)), trigger: "manual",
      basis: .events, folder: folder)
    snapshot.message = "clean ok"
    snapshot.labels = ["stage": "clean", "run_id": "8"]
    snapshot.host = "host"
    snapshot.user = "user"
    snapshot.counts.files = 100_000
    snapshot.counts.bytes = 1_200_000_000
    snapshot.counts.entries = 101_234
    snapshot.counts.added = 3
    snapshot.counts.modified = 7
    change(&snapshot)
    let id = try #require(ObjectID(hex: Self.id))
    return SnapshotReport(
      KnownSnapshot(id: id, snapshot: snapshot), tags: ["v1", "good"], isPinned: true)
  }

  @Test func `a snapshot is one object with every key`() throws {
    let report = try report {
      $0.problems = [
        Snapshot.Problem(
          key: PathKey(bytes: [0x78, 0xFF]), kind: .changing, detail: "it never held still")
      ]
      $0.hot = [PathKey(bytes: Array("db".utf8))]
    }
    var writer = JSONWriter(pretty: true)
    writer.object(report.write)
    writer.endLine()
    try GoldenFile.expect(String(decoding: writer.bytes, as: UTF8.self), is: "snapshot.json")
  }

  @Test func `a snapshot is a page of facts`() throws {
    let page = SnapshotPage(invocation())
    var lines = page.lines(try report())
    lines += ["--"]
    lines += page.lines(
      try report(minutesAgo: 60 * 24 * 40) {
        $0.parent = nil
        $0.message = "first\nof all"
        $0.trigger = "rule"
        $0.rules = ["hourly", "bulk"]
        $0.counts.modified = 0
        $0.basis = .scan
        $0.problems = [
          Snapshot.Problem(
            key: PathKey(bytes: Array("pipe".utf8)), kind: .unsupported, detail: "a FIFO")
        ]
        $0.uncovered = [PathKey(bytes: Array("secret".utf8))]
        $0.hot = [PathKey(bytes: Array("a\0db".utf8))]
      })
    try GoldenFile.expect(lines.map { $0 + "\n" }.joined(), is: "show.txt")
  }

  @Test(arguments: [nil, 80, 60]) func `snapshots are lines`(_ width: Int?) throws {
    let lines = SnapshotLines(invocation(width: width))
    var table = lines.table()
    table.append(lines.cells(try report(), parentBytes: 1_200_000_000 - 217_088))
    table.append(
      lines.cells(
        try report(minutesAgo: 60 * 20) {
          $0.message = "a long message that says more than fits into a line of a narrow terminal"
          $0.labels = [:]
        }, parentBytes: nil))
    table.append(
      lines.cells(
        try report(minutesAgo: 60 * 24 * 9) {
          $0.trigger = "quiet"
          $0.message = ""
          $0.counts.added = 0
          $0.counts.modified = 0
          $0.uncovered = [.root]
        }, parentBytes: 1_200_000_000))
    let text = table.lines().map { $0 + "\n" }.joined()
    try GoldenFile.expect(text, is: "log-\(width.map(String.init) ?? "any").txt")
    if let width, width >= 80 {
      for line in table.lines() { #expect(DisplayWidth.columns(of: line) <= width) }
    }
  }
}
