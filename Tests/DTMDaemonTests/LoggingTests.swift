import DTMDaemon
import DTMSystem
import Glibc
import Logging
import SystemPackage
import Testing

@Suite struct DaemonEventTests {
  @Test func `each event has an id of its own`() {
    let ids = DaemonEvent.allCases.map(\.messageID)
    #expect(Set(ids).count == ids.count)
    for id in ids {
      #expect(id.count == 32)
      #expect(id.allSatisfy { $0.isHexDigit && !$0.isUppercase })
    }
  }

  @Test func `the catalog has an entry for each event, with a subject and what to do`() throws {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false)
      .prefix { $0 != "Tests" }.joined(separator: "/")
    let file = try Descriptor.open(FilePath(root + "/packaging/journal/dtm.catalog"), .readOnly)
    let text = String(decoding: try file.readToEnd(), as: UTF8.self)
    var entries: [String: [Substring]] = [:]
    var id = ""
    for line in text.split(separator: "\n", omittingEmptySubsequences: false) {
      if line.hasPrefix("-- ") { id = String(line.dropFirst(3)) }
      entries[id, default: []].append(line)
    }
    entries[""] = nil
    #expect(Set(entries.keys) == Set(DaemonEvent.allCases.map(\.messageID)))
    for (id, lines) in entries {
      #expect(lines.contains { $0.hasPrefix("Subject: ") }, "\(id)")
      #expect(lines.count > 6, "\(id) explains nothing")
    }
  }
}

@Suite struct StreamLogTests {
  private func lines(isTerminal: Bool, _ body: (Logger) -> Void) -> String {
    let written = Monitor<[UInt8]>([])
    body(
      LogDestination.stderr.logger(level: .trace, isTerminal: isTerminal) { bytes in
        written.update { $0 += bytes }
      })
    return String(decoding: written.withLock { $0 }, as: UTF8.self)
  }

  @Test func `entries are lines with priorities, or plain words at a terminal`() throws {
    func write(_ logger: Logger) {
      var logger = logger
      logger[metadataKey: "folder"] = "lake"
      logger.record(
        .snapshotTaken,
        ["snapshot": "\(String(repeating: "ab", count: 32))", "trigger": "quiet", "files": "3"])
      logger.record(.snapshotFailed, ["error": "a\nb\u{1b}[31m"])
    }
    #expect(
      lines(isTerminal: false, write) == """
        <5>lake: snapshot taken  files=3 snapshot=abababab trigger=quiet
        <3>lake: a snapshot failed  error=a\\nb\\x1b[31m

        """)
    #expect(
      lines(isTerminal: true, write) == """
        lake: snapshot taken  files=3 snapshot=abababab trigger=quiet
        error: lake: a snapshot failed  error=a\\nb\\x1b[31m

        """)
  }
}
