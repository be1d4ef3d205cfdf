import DTMDaemon
import DTMSystem
import DTMTestSupport
import Glibc
import Logging
import SystemPackage
import Testing

/// A journald: the machine's, or one of our own where there is none.
///
/// As root and where PID 1 is not systemd one can be run alone; what it leaves is removed.
private final class Journal {
  private static let socket: FilePath = "/run/systemd/journal/socket"
  private static let traces: [FilePath] = ["/run/systemd/journal", "/run/log/journal"]

  private let process: pid_t?
  private let made: [FilePath]

  static var canRun: Bool {
    geteuid() == 0 && exists("/lib/systemd/systemd-journald") && exists("/usr/bin/journalctl")
  }

  init() throws {
    if Journal.exists(Journal.socket) {
      process = nil
      made = []
      return
    }
    made = Journal.traces.filter { !Journal.exists($0) }
    // The directory is all that it needs beside root.
    _ = unsafe mkdir("/run/systemd", 0o755)
    _ = unsafe mkdir("/run/systemd/journal", 0o755)
    process = try Command.start(["/lib/systemd/systemd-journald"])
    // Once the socket is there it takes entries, but only somewhat later knows who sends them.
    var logger = LogDestination.journal.logger(level: .info, isTerminal: false)
    let probe = "probe-\(getpid())"
    logger[metadataKey: "folder"] = "\(probe)"
    let isReady = try eventually {
      guard Journal.exists(Journal.socket) else { return false }
      logger.info("probe")
      return try !Command.run([
        "/usr/bin/sh", "-c",
        "journalctl -q -o json DTM_FOLDER=\(probe) _PID=\(getpid()) 2>/dev/null; true",
      ]).isEmpty
    }
    #expect(isReady, "journald does not start")
  }

  deinit {
    guard let process else { return }
    kill(process, SIGTERM)
    waitpid(process, nil, 0)
    for path in made { try? removeTree(path) }
  }

  /// Entries with this folder, once there are so many, one JSON object each.
  func entries(folder: String, count: Int) throws -> [JSONNode] {
    var found: [Substring] = []
    // Asked again and again: one that follows the journal ends only when there is more to write.
    _ = try eventually {
      found = try Command.run([
        "/usr/bin/sh", "-c", "journalctl -q -o json DTM_FOLDER=\(folder) 2>/dev/null; true",
      ]).split(separator: "\n")
      return found.count >= count
    }
    return try found.map { try JSONNode(parsing: Array($0.utf8)) }
  }

  private static func exists(_ path: FilePath) -> Bool {
    (try? Descriptor.open(path, .path)) != nil
  }
}

@Suite(.serialized) struct JournalTests {
  @Test(.enabled(if: Journal.canRun, "root runs a journald of its own"))
  func `a real journal has the entries with their fields`() throws {
    let journal = try Journal()
    let folder = "test-\(getpid())-\(UInt32.random(in: 0...UInt32.max))"
    var logger = LogDestination.journal.logger(level: .info, isTerminal: false)
    logger[metadataKey: "folder"] = "\(folder)"
    let id = String(repeating: "7f3a9c2e", count: 8)
    logger.record(
      .snapshotTaken,
      [
        "snapshot": "\(id)", "trigger": "rule", "rule": "stage-done", "files": "3",
        "bytes": "41233", "durationUsec": "12000", "basis": "events", "path": "/srv/ä\u{ff}",
      ])
    logger.record(.snapshotFailed, ["error": "the disk is full\nDTM_BASIS=forged"])
    logger.debug("below the level")
    logger.info("plain", metadata: ["value": "1"])

    let entries = try journal.entries(folder: folder, count: 3)
    try #require(entries.count == 3)
    let first = entries[0]
    for (field, value) in [
      ("MESSAGE_ID", DaemonEvent.snapshotTaken.messageID), ("PRIORITY", "5"),
      ("SYSLOG_IDENTIFIER", "dtmd"), ("DTM_FOLDER", folder), ("DTM_SNAPSHOT", id),
      ("DTM_TRIGGER", "rule"), ("DTM_RULE", "stage-done"), ("DTM_FILES", "3"),
      ("DTM_BYTES", "41233"), ("DTM_DURATION_USEC", "12000"), ("DTM_BASIS", "events"),
      ("DTM_PATH", "/srv/ä\u{ff}"), ("_PID", "\(getpid())"),
    ] {
      #expect(first[field]?.string == value, "\(field)")
    }
    #expect(first["MESSAGE"]?.string?.hasPrefix("\(folder): snapshot taken  ") == true)

    let second = entries[1]
    #expect(second["PRIORITY"]?.string == "3")
    #expect(second["MESSAGE_ID"]?.string == DaemonEvent.snapshotFailed.messageID)
    #expect(second["DTM_ERROR"]?.string == "the disk is full\nDTM_BASIS=forged")
    #expect(second["DTM_BASIS"] == nil)
    #expect(second["MESSAGE"]?.string?.contains("\n") == false)

    let third = entries[2]
    #expect(third["PRIORITY"]?.string == "6")
    #expect(third["MESSAGE_ID"] == nil)
    #expect(third["DTM_VALUE"]?.string == "1")
  }
}
