internal import DTMSystem

/// What a level is made of, besides the entries of pages that are there.
protocol LevelItem {
  var keyBytes: [UInt8] { get }
  var isDirectory: Bool { get }
}

extension TreeEntry: LevelItem {
  var keyBytes: [UInt8] { key.bytes }
  var isDirectory: Bool { kind == .directory }
}

extension Child: LevelItem {
  var keyBytes: [UInt8] { key }
  var isDirectory: Bool { false }
}

/// The one open page of a level: takes entries in key order and says after which the page ends.
protocol PageWriter {
  associatedtype Item: LevelItem
  associatedtype Source: KeyedPage

  var isEmpty: Bool { get }
  var entryCount: Int { get }
  /// The child of an inner page that has one entry.
  var onlyChild: ObjectID? { get }
  /// Appends an entry; returns whether the page ends after it, and has to be closed.
  mutating func append(_ item: Item) throws(RepositoryError) -> Bool
  /// Appends the entry of a page that is there.
  mutating func append(_ page: Source, _ index: Int) throws(RepositoryError) -> Bool
  /// Writes the page and begins the next.
  mutating func close(to objects: any ObjectWriter) throws(RepositoryError) -> Child
}

/// Writes the keys of a page that is open, and watches for its border.
struct PageKeyWriter {
  private(set) var first: [UInt8] = []
  private var last: [UInt8] = []
  private(set) var border: PageBorder

  init(level: UInt8) {
    border = PageBorder(level: level)
  }

  /// Appends the key `keys[start ..< end]` to the page's bytes; returns whether the page ends after
  /// its entry.
  mutating func append(
    _ keys: [UInt8], from start: Int, to end: Int, into body: inout ByteWriter
  ) -> Bool {
    if border.entries == 0 {
      first = Array(keys[start..<end])
      last.removeAll(keepingCapacity: true)
    }
    var shared = 0
    do {
      let lastSpan = last.span
      let keySpan = keys.span
      let limit = min(lastSpan.count, end - start)
      while shared < limit && lastSpan[shared] == keySpan[start + shared] { shared += 1 }
    }
    last.removeLast(last.count - shared)
    last += keys[(start + shared)..<end]
    body.varint(shared)
    body.varint(end - start - shared)
    body.raw(keys[(start + shared)..<end])
    return border.endsAfter(keys, from: start, to: end)
  }

  mutating func restart() { border.restart() }
}

/// The sums that an entry of the level above holds.
struct PageTotals {
  private(set) var entries = 0
  private(set) var fileBytes: UInt64 = 0

  /// Throws `.invalidInput` where a sum leaves its range.
  mutating func add(entries more: Int, fileBytes bytes: UInt64) throws(RepositoryError) {
    let (entrySum, tooMany) = entries.addingReportingOverflow(more)
    let (byteSum, tooLarge) = fileBytes.addingReportingOverflow(bytes)
    guard !tooMany, !tooLarge else {
      throw RepositoryError(.invalidInput, "the sum of the files' sizes is out of range")
    }
    entries = entrySum
    fileBytes = byteSum
  }
}
