import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Journals of restores that no program of ours has written.
@Suite struct RestoreJournalTests {
  /// An item of a journal, as its encoding has it.
  private struct Item {
    var number: Int
    var key: String
    var kind = FileKind.file
    /// The number of the item it is built in.
    var container: Int?
    /// Immutable: such an item has a record in a new directory too.
    var inodeFlags: UInt64 = 16
  }

  private static func journal(_ items: [Item], count: Int, built: [Int]? = nil) -> [UInt8] {
    var body = ByteWriter()
    body.varint(1)
    body.string("0123456789abcdef")
    // The intent: kind, summary, branch, its begin, what is undone, the state before, no targets, …
    for text in ["restore", "", "", ""] { body.string(text) }
    body.varint(0)
    body.string("")
    body.varint(0)
    body.u8(0)
    for text in ["host", "user", "1"] { body.string(text) }
    body.varint(count)
    body.list(items) { writer, item in
      writer.varint(item.number)
      writer.u8(RestorePlan.Action.add.rawValue)
      writer.counted(PathKey(item.key)?.bytes ?? [])
      writer.u8(0)
      writer.u8(item.kind.rawValue)
      // Mode, owner, group, seconds, nanoseconds, size, flags; no attributes.
      for number in [0o600, 0, 0, 0, 0, 0, item.inodeFlags] { writer.varint(number) }
      writer.u8(0)
      writer.varint(item.container.map { $0 + 1 } ?? 0)
      writer.u8(0)
    }
    body.varint(0)
    var file = ByteWriter()
    file.raw(Array("DTMRSTR1".utf8))
    append(body.bytes, to: &file)
    if let built {
      var second = ByteWriter()
      second.list(built) { $0.varint($1) }
      append(second.bytes, to: &file)
    }
    return file.bytes
  }

  private static func append(_ body: [UInt8], to file: inout ByteWriter) {
    file.u32(UInt32(body.count))
    file.raw(body)
    file.u64(Digest.checksum(body.span))
  }

  private static func recover(_ journal: [UInt8]) throws -> RecoveryOutcome? {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let files = try SystemFileOperations(path: fixture.repositoryPath)
      try files.create("journal/\(fixture.id.hex)-0123456789abcdef", mode: 0o600)
        .write(journal, at: 0)
      return try folder.recover()
    }
  }

  @Test(arguments: [
    // In a directory that is not there, is a file's, comes later, or is elsewhere.
    [Item(number: 0, key: "d/f", container: 7)],
    [Item(number: 0, key: "d", inodeFlags: 0), Item(number: 1, key: "e", container: 0)],
    [Item(number: 0, key: "d/f", container: 1), Item(number: 1, key: "d", kind: .directory)],
    // One number twice, and descending ones.
    [Item(number: 1, key: "d"), Item(number: 1, key: "e")],
    [Item(number: 1, key: "d"), Item(number: 0, key: "e")],
  ])
  private func `a journal whose items do not fit together is refused`(items: [Item]) throws {
    let failure = #expect(throws: FolderError.self) {
      try Self.recover(Self.journal(items, count: 9))
    }
    #expect(failure?.code == .corrupt)
  }

  @Test func `a large number in a short journal takes no memory`() throws {
    // An array of so many items would have hundreds of gigabytes.
    let items = [
      Item(number: 0, key: "d", kind: .directory), Item(number: 4_000_000_000, key: "f"),
    ]
    let outcome = try Self.recover(Self.journal(items, count: 4_000_000_001))
    #expect(outcome?.isFinished == false)
    #expect(outcome?.problems.isEmpty == true)
  }

  @Test func `what was built for an item is removed under the name that it was built under`() throws
  {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let files = try SystemFileOperations(path: fixture.repositoryPath)
      let items = [
        Item(number: 0, key: "d", kind: .directory), Item(number: 300, key: "f", inodeFlags: 0),
      ]
      try files.create("journal/\(fixture.id.hex)-0123456789abcdef", mode: 0o600)
        .write(Self.journal(items, count: 301), at: 0)
      let left = ".dtm-restore-0123456789abcdef-12c"
      _ = shell("touch \(quoted(fixture.folderPath))/\(left)")
      #expect(try folder.recover()?.isFinished == false)
      #expect(try scan(fixture.folderPath).keys.sorted() == [""])
    }
  }
}
