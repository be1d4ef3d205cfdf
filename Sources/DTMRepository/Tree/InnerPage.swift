internal import DTMSystem

/// A page as the level above knows it.
struct Child: Sendable {
  /// The first key of the page.
  let key: [UInt8]
  let id: ObjectID
  /// Leaf entries below, at least 1.
  let entries: Int
  /// Sum of the sizes of the files below.
  let fileBytes: UInt64
}

/// A decoded page of level 1 or more (format: Inner page).
final class InnerPage: KeyedPage, Sendable {
  /// An entry takes 36 bytes at least.
  private static let minimumEntryLength = 36
  /// Each level has about half as many pages as the one below at most, so that no tree is higher.
  private static let maximumLevel: UInt8 = 63

  let id: ObjectID
  let level: UInt8
  let keys: PageKeys
  let children: [ObjectID]
  let entries: [Int]
  let fileBytes: [UInt64]
  let entryTotal: Int
  let fileByteTotal: UInt64

  init(decoding bytes: [UInt8], id: ObjectID) throws(DecodingFailure) {
    var reader = ByteReader(bytes)
    let level = try reader.u8()
    guard level > 0, level <= Self.maximumLevel else {
      throw reader.failure("level \(level) is not that of an inner page")
    }
    let count = try reader.count(minimumLength: Self.minimumEntryLength)
    guard count > 0, count <= PageBorder.maximumEntries else {
      throw reader.failure("a page has \(count) entries")
    }
    var keys = PageKeys()
    keys.reserve(keys: count, bytes: min(reader.remaining, PageBorder.maximumKeyBytes))
    var children: [ObjectID] = []
    children.reserveCapacity(count)
    var entries: [Int] = []
    entries.reserveCapacity(count)
    var fileBytes: [UInt64] = []
    fileBytes.reserveCapacity(count)
    var entryTotal = 0
    var fileByteTotal: UInt64 = 0
    for _ in 0..<count {
      try keys.decode(&reader)
      children.append(try reader.id())
      let below = try reader.int()
      let bytesBelow = try reader.varint()
      let (entrySum, tooMany) = entryTotal.addingReportingOverflow(below)
      let (byteSum, tooLarge) = fileByteTotal.addingReportingOverflow(bytesBelow)
      guard below > 0, !tooMany, !tooLarge else { throw reader.failure("a count is out of range") }
      entryTotal = entrySum
      fileByteTotal = byteSum
      entries.append(below)
      fileBytes.append(bytesBelow)
    }
    guard reader.isAtEnd else { throw reader.failure("\(reader.remaining) bytes too many") }
    self.id = id
    self.level = level
    self.keys = keys
    self.children = children
    self.entries = entries
    self.fileBytes = fileBytes
    self.entryTotal = entryTotal
    self.fileByteTotal = fileByteTotal
  }

  static func of(_ page: Page) throws(RepositoryError) -> InnerPage {
    guard case .inner(let inner) = page else { throw page.unexpectedLevel }
    return inner
  }

  func isDirectory(_ index: Int) -> Bool { false }
}

/// A decoded page of any level.
enum Page {
  case leaf(LeafPage)
  case inner(InnerPage)

  init(decoding bytes: [UInt8], id: ObjectID) throws(RepositoryError) {
    do throws(DecodingFailure) {
      if bytes.first == 0 {
        self = .leaf(try LeafPageDecoder.decode(bytes, id: id))
      } else {
        self = .inner(try InnerPage(decoding: bytes, id: id))
      }
    } catch {
      throw RepositoryError(error, of: "page", object: id)
    }
  }

  var level: UInt8 {
    switch self {
    case .leaf: 0
    case .inner(let page): page.level
    }
  }

  var id: ObjectID {
    switch self {
    case .leaf(let page): page.id
    case .inner(let page): page.id
    }
  }

  /// For a page that stands where one of another level is expected.
  var unexpectedLevel: RepositoryError {
    RepositoryError(.corrupt, "page \(id) has level \(level), where another is due", object: id)
  }

  var keys: PageKeys {
    switch self {
    case .leaf(let page): page.keys
    case .inner(let page): page.keys
    }
  }

  var entryTotal: Int {
    switch self {
    case .leaf(let page): page.slots.count
    case .inner(let page): page.entryTotal
    }
  }

  var fileByteTotal: UInt64 {
    switch self {
    case .leaf(let page): page.fileBytes
    case .inner(let page): page.fileByteTotal
    }
  }
}
