internal import DTMSystem

/// A decoded page that its level is made of.
protocol KeyedPage: AnyObject {
  var keys: PageKeys { get }
  func isDirectory(_ index: Int) -> Bool
  /// The page as one of this kind.
  static func of(_ page: Page) throws(RepositoryError) -> Self
}

/// A leaf page whose bytes have been checked, and whose entries are made when they are asked for.
///
/// An entry's bytes behind its key hold no reference to the page but the indices of owner and group;
/// so an entry moves from page to page without being decoded.
final class LeafPage: KeyedPage, Sendable {
  /// Where an entry's parts stand in the page's bytes: kind, flags and mode from `value`, the indices
  /// of owner and group from `owner`, everything else from `tail` to `end`.
  struct Slot: Sendable {
    var value: UInt32 = 0
    var owner: UInt32 = 0
    var tail: UInt32 = 0
    var end: UInt32 = 0
    var ownerIndex: UInt16 = 0
    var groupIndex: UInt16 = 0
    var kind: FileKind = .file
    /// `size` of a file, else 0.
    var fileBytes: UInt64 = 0
  }

  let id: ObjectID
  let bytes: [UInt8]
  let keys: PageKeys
  let slots: [Slot]
  let owners: [Owner]
  let groups: [Owner]
  /// Sum of the files' sizes.
  let fileBytes: UInt64

  init(
    id: ObjectID, bytes: [UInt8], keys: PageKeys, slots: [Slot], owners: [Owner], groups: [Owner],
    fileBytes: UInt64
  ) {
    self.id = id
    self.bytes = bytes
    self.keys = keys
    self.slots = slots
    self.owners = owners
    self.groups = groups
    self.fileBytes = fileBytes
  }

  static func of(_ page: Page) throws(RepositoryError) -> LeafPage {
    guard case .leaf(let leaf) = page else { throw page.unexpectedLevel }
    return leaf
  }

  func isDirectory(_ index: Int) -> Bool { slots[index].kind == .directory }

  /// Whether two entries are the same in everything but, perhaps, their keys.
  func hasSameValue(_ index: Int, as other: LeafPage, _ otherIndex: Int) -> Bool {
    let left = slots[index]
    let right = other.slots[otherIndex]
    return owners[Int(left.ownerIndex)] == other.owners[Int(right.ownerIndex)]
      && groups[Int(left.groupIndex)] == other.groups[Int(right.groupIndex)]
      && bytes[Int(left.value)..<Int(left.owner)]
        == other.bytes[Int(right.value)..<Int(right.owner)]
      && bytes[Int(left.tail)..<Int(left.end)] == other.bytes[Int(right.tail)..<Int(right.end)]
  }

  /// The entry at an index.
  func entry(_ index: Int) throws(RepositoryError) -> TreeEntry {
    do throws(DecodingFailure) {
      return try decodedEntry(index)
    } catch {
      throw RepositoryError(error, of: "page", object: id)
    }
  }

  private func decodedEntry(_ index: Int) throws(DecodingFailure) -> TreeEntry {
    let slot = slots[index]
    var reader = ByteReader(bytes, from: Int(slot.value), to: Int(slot.end))
    _ = try reader.u8()
    let flags = try reader.varint()
    var entry = TreeEntry(
      key: PathKey(bytes: keys.key(index)), kind: slot.kind,
      permissions: UInt32(truncatingIfNeeded: try reader.varint()),
      owner: owners[Int(slot.ownerIndex)], group: groups[Int(slot.groupIndex)])
    _ = try reader.varint()
    _ = try reader.varint()
    let seconds = try reader.svarint()
    entry.modified = FileTime(
      seconds: seconds, nanoseconds: UInt32(truncatingIfNeeded: try reader.varint()))
    entry.size = try reader.varint()
    entry.content = try Self.content(&reader)
    if flags & LeafFlags.inodeFlags != 0 {
      entry.inodeFlags = UInt32(truncatingIfNeeded: try reader.varint())
    }
    if flags & LeafFlags.attributes != 0 {
      let isInline = try reader.u8() == LeafFlags.attributesInline
      entry.attributes = isInline ? .inline(try reader.counted()) : .object(try reader.id())
    }
    if flags & LeafFlags.linkGroup != 0 {
      entry.linkGroup = PathKey(bytes: try reader.counted())
    }
    entry.isSparse = flags & LeafFlags.sparse != 0
    entry.isHot = flags & LeafFlags.hot != 0
    return entry
  }

  private static func content(_ reader: inout ByteReader) throws(DecodingFailure) -> Content {
    switch try reader.u8() {
    case ContentTag.none: return .none
    case ContentTag.inline: return .inline(try reader.counted())
    case ContentTag.chunk: return .chunk(try reader.id())
    case ContentTag.list: return .list(try reader.id())
    case ContentTag.target: return .target(try reader.counted())
    case ContentTag.device:
      let major = UInt32(truncatingIfNeeded: try reader.varint())
      return .device(major: major, minor: UInt32(truncatingIfNeeded: try reader.varint()))
    case let tag: throw reader.failure("content \(tag) is not known")
    }
  }

  /// The objects that the entry at an index names. Makes no entry.
  func references(_ index: Int) throws(RepositoryError) -> [(ObjectID, ObjectKind)] {
    do throws(DecodingFailure) {
      return try decodedReferences(index)
    } catch {
      throw RepositoryError(error, of: "page", object: id)
    }
  }

  private func decodedReferences(
    _ index: Int
  ) throws(DecodingFailure) -> [(ObjectID, ObjectKind)] {
    let slot = slots[index]
    let flags = UInt64(bytes[Int(slot.value) + 1])
    // Most entries name one object at most, and that stands behind three numbers.
    var reader = ByteReader(bytes, from: Int(slot.tail), to: Int(slot.end))
    _ = try reader.svarint()
    _ = try reader.varint()
    _ = try reader.varint()
    var result: [(ObjectID, ObjectKind)] = []
    switch try Self.content(&reader) {
    case .chunk(let id): result.append((id, .chunk))
    case .list(let id): result.append((id, .list))
    default: break
    }
    if flags & LeafFlags.attributes == 0 { return result }
    if flags & LeafFlags.inodeFlags != 0 { _ = try reader.varint() }
    if try reader.u8() != LeafFlags.attributesInline { result.append((try reader.id(), .chunk)) }
    return result
  }
}

/// The flags of an entry in a leaf page.
enum LeafFlags {
  static let sparse: UInt64 = 1
  static let hot: UInt64 = 2
  static let inodeFlags: UInt64 = 4
  static let attributes: UInt64 = 8
  static let linkGroup: UInt64 = 16
  static let known: UInt64 = 31
  static let attributesInline: UInt8 = 1
  static let attributesObject: UInt8 = 2
}

/// What the content byte of an entry in a leaf page says.
enum ContentTag {
  static let none: UInt8 = 0
  static let inline: UInt8 = 1
  static let chunk: UInt8 = 2
  static let list: UInt8 = 3
  static let target: UInt8 = 4
  static let device: UInt8 = 5
}
