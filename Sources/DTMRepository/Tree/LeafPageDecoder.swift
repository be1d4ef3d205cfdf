internal import DTMSystem

/// Checks the bytes of a leaf page and finds its entries in them (format: Leaf page).
///
/// It allocates a few arrays a page and none an entry; what it reserves is bounded by the bytes.
struct LeafPageDecoder {
  /// An entry takes 11 bytes at least, as a page's table of owners takes 2 a row.
  private static let minimumEntryLength = 11
  private static let minimumOwnerLength = 2

  private let bytes: [UInt8]
  private var reader: ByteReader
  private var keys = PageKeys()
  private var slots: [LeafPage.Slot] = []
  /// How many rows of the tables have been used: first uses come in the tables' order.
  private var usedOwners = 0
  private var usedGroups = 0
  private var fileBytes: UInt64 = 0

  private init(_ bytes: [UInt8]) {
    self.bytes = bytes
    reader = ByteReader(bytes)
  }

  static func decode(_ bytes: [UInt8], id: ObjectID) throws(DecodingFailure) -> LeafPage {
    var decoder = LeafPageDecoder(bytes)
    return try decoder.page(id)
  }

  private mutating func page(_ id: ObjectID) throws(DecodingFailure) -> LeafPage {
    guard try reader.u8() == 0 else { throw reader.failure("the page is not a leaf") }
    let count = try reader.count(minimumLength: Self.minimumEntryLength)
    guard count <= PageBorder.maximumEntries else {
      throw reader.failure("a page has \(count) entries")
    }
    let owners = try table(limit: count)
    let groups = try table(limit: count)
    slots.reserveCapacity(count)
    keys.reserve(keys: count, bytes: min(reader.remaining, PageBorder.maximumKeyBytes))
    for index in 0..<count {
      try keys.decode(&reader)
      try slots.append(slot(owners: owners.count, groups: groups.count))
      if keys.start(index) == keys.end(index) && slots[index].kind != .directory {
        throw reader.failure("the folder itself is no directory")
      }
    }
    guard usedOwners == owners.count, usedGroups == groups.count else {
      throw reader.failure("an owner or group is not used")
    }
    guard reader.isAtEnd else { throw reader.failure("\(reader.remaining) bytes too many") }
    return LeafPage(
      id: id, bytes: bytes, keys: keys, slots: slots, owners: owners, groups: groups,
      fileBytes: fileBytes)
  }

  private mutating func table(limit: Int) throws(DecodingFailure) -> [Owner] {
    let count = try reader.count(minimumLength: Self.minimumOwnerLength)
    guard count <= limit else { throw reader.failure("more owners than entries") }
    var owners: [Owner] = []
    owners.reserveCapacity(count)
    var seen: Set<Owner> = []
    for _ in 0..<count {
      let number = try reader.int(limit: Int(UInt32.max))
      let owner = Owner(id: UInt32(number), name: try reader.counted())
      if count > 1 && !seen.insert(owner).inserted { throw reader.failure("an owner stands twice") }
      owners.append(owner)
    }
    return owners
  }

  private mutating func slot(owners: Int, groups: Int) throws(DecodingFailure) -> LeafPage.Slot {
    var slot = LeafPage.Slot()
    slot.value = UInt32(reader.offset)
    guard let kind = FileKind(rawValue: try reader.u8()) else {
      throw reader.failure("a kind is not known")
    }
    slot.kind = kind
    let flags = try reader.varint()
    guard flags & ~LeafFlags.known == 0 else {
      throw reader.failure("flags \(flags) are not known")
    }
    _ = try reader.int(limit: Int(TreeEntry.permissionsMask))
    slot.owner = UInt32(reader.offset)
    slot.ownerIndex = UInt16(try Self.row(&reader, of: owners, used: &usedOwners))
    slot.groupIndex = UInt16(try Self.row(&reader, of: groups, used: &usedGroups))
    slot.tail = UInt32(reader.offset)
    _ = try reader.svarint()
    _ = try reader.int(limit: Int(TreeEntry.nanosecondsPerSecond) - 1)
    let size = try reader.varint()
    try skipContent(kind, size)
    try skipOptional(kind, flags)
    slot.end = UInt32(reader.offset)
    if kind == .file {
      slot.fileBytes = size
      let (sum, isTooLarge) = fileBytes.addingReportingOverflow(size)
      guard !isTooLarge else { throw reader.failure("the sizes' sum is out of range") }
      fileBytes = sum
    }
    return slot
  }

  private static func row(
    _ reader: inout ByteReader, of count: Int, used: inout Int
  ) throws(DecodingFailure) -> Int {
    let row = try reader.int(limit: PageBorder.maximumEntries)
    guard row < count, row <= used else {
      throw reader.failure("row \(row) of owners or groups is not there, or out of order")
    }
    if row == used { used += 1 }
    return row
  }

  /// Holds that kind, size and content fit together, as `TreeEntry.flaw` does.
  private mutating func skipContent(_ kind: FileKind, _ size: UInt64) throws(DecodingFailure) {
    let inlineLimit = UInt64(TreeEntry.inlineContentLimit)
    let fits: Bool
    switch (kind, try reader.u8()) {
    case (.file, ContentTag.inline):
      let length = try reader.skipCounted()
      fits = UInt64(length) == size && size <= inlineLimit
    case (.file, ContentTag.chunk):
      _ = try reader.id()
      fits = size > inlineLimit
    case (.file, ContentTag.list):
      _ = try reader.id()
      fits = size > 0
    case (.symlink, ContentTag.target): fits = UInt64(try reader.skipCounted()) == size
    case (.characterDevice, ContentTag.device), (.blockDevice, ContentTag.device):
      _ = try reader.int(limit: Int(UInt32.max))
      _ = try reader.int(limit: Int(UInt32.max))
      fits = size == 0
    case (.directory, ContentTag.none), (.fifo, ContentTag.none), (.socket, ContentTag.none):
      fits = size == 0
    default: fits = false
    }
    guard fits else { throw reader.failure("kind, size and content do not fit together") }
  }

  private mutating func skipOptional(_ kind: FileKind, _ flags: UInt64) throws(DecodingFailure) {
    if flags & LeafFlags.inodeFlags != 0 {
      let value = try reader.varint()
      guard value != 0, value & ~UInt64(TreeEntry.inodeFlagsMask) == 0 else {
        throw reader.failure("inode flags \(value) are not known")
      }
    }
    if flags & LeafFlags.attributes != 0 {
      switch try reader.u8() {
      case LeafFlags.attributesInline:
        let length = try reader.skipCounted()
        guard length > 0, length <= TreeEntry.inlineAttributesLimit else {
          throw reader.failure("inline attributes have \(length) bytes")
        }
      case LeafFlags.attributesObject: _ = try reader.id()
      default: throw reader.failure("attributes of an unknown kind")
      }
    }
    if flags & LeafFlags.linkGroup != 0 {
      guard kind != .directory else { throw reader.failure("a directory has a link group") }
      let length = try reader.skipCounted()
      guard length > 0 else { throw reader.failure("a link group is empty") }
      if let flaw = KeyRule.flaw(bytes, from: reader.offset - length, to: reader.offset) {
        throw reader.failure("a link group: \(flaw)")
      }
    }
  }
}
