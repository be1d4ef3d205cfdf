package import DTMRepository

/// The fixed part of an archive's member, one block: POSIX's ustar, with GNU's numbers beyond octal.
package struct TarHeader: Hashable {
  static let blockLength = 512
  /// Longest name that stands in the block itself.
  static let nameLimit = 100
  /// Longest name of an owner.
  static let ownerLimit = 31

  /// What follows, as the block's type flag says it.
  package enum Kind: UInt8 {
    case file = 0x30
    case link = 0x31
    case symlink = 0x32
    case characterDevice = 0x33
    case blockDevice = 0x34
    case directory = 0x35
    case fifo = 0x36
    /// A file all the same.
    case contiguous = 0x37
    /// Records for the next member; for all that follow.
    case extended = 0x78
    case global = 0x67
    /// GNU's: the next member's name, its link's target, a file with holes.
    case longName = 0x4C
    case longTarget = 0x4B
    case sparse = 0x53
  }

  /// Where the fields stand in the block.
  private enum Field {
    static let name = 0..<100
    static let mode = 100..<108
    static let uid = 108..<116
    static let gid = 116..<124
    static let size = 124..<136
    static let seconds = 136..<148
    static let checksum = 148..<156
    static let kind = 156
    static let target = 157..<257
    static let magic = 257..<265
    static let user = 265..<297
    static let group = 297..<329
    static let major = 329..<337
    static let minor = 337..<345
    static let prefix = 345..<500
  }

  private static let magic = Array("ustar\u{0}00".utf8)

  package var kind: Kind
  /// Any bytes.
  package var name: [UInt8] = []
  /// What a link is to.
  package var target: [UInt8] = []
  /// 0o0000 … 0o7777.
  package var mode: UInt32 = 0
  /// The owner's number.
  package var uid: UInt32 = 0
  /// The group's number.
  package var gid: UInt32 = 0
  /// Bytes that follow the block.
  package var size: UInt64 = 0
  /// Of the modification time.
  package var seconds: Int64 = 0
  /// The owner's name.
  package var user: [UInt8] = []
  /// The group's name.
  package var group: [UInt8] = []
  /// Of a device.
  package var major: UInt32 = 0
  /// Of a device.
  package var minor: UInt32 = 0

  /// A header of zeros.
  package init(_ kind: Kind) { self.kind = kind }

  /// The block; names that are too long are cut.
  package var encoded: [UInt8] {
    var block = [UInt8](repeating: 0, count: Self.blockLength)
    func put(_ bytes: some Collection<UInt8>, _ field: Range<Int>) {
      for (offset, byte) in bytes.prefix(field.count).enumerated() {
        block[field.lowerBound + offset] = byte
      }
    }
    put(name, Field.name)
    put(Self.number(Int64(mode), length: 8), Field.mode)
    put(Self.number(Int64(uid), length: 8), Field.uid)
    put(Self.number(Int64(gid), length: 8), Field.gid)
    put(Self.number(Int64(clamping: size), length: 12), Field.size)
    put(Self.number(seconds, length: 12), Field.seconds)
    put([UInt8](repeating: 0x20, count: 8), Field.checksum)
    block[Field.kind] = kind.rawValue
    put(target, Field.target)
    put(Self.magic, Field.magic)
    put(user.prefix(Self.ownerLimit), Field.user)
    put(group.prefix(Self.ownerLimit), Field.group)
    put(Self.number(Int64(major), length: 8), Field.major)
    put(Self.number(Int64(minor), length: 8), Field.minor)
    let sum = block.reduce(0) { $0 + Int64($1) }
    put(Self.number(sum, length: 7) + [0x20], Field.checksum)
    return block
  }

  /// Octal digits and a NUL; where they do not fit, two's complement with the first bit set.
  private static func number(_ value: Int64, length: Int) -> [UInt8] {
    if value >= 0 {
      let digits = String(value, radix: 8)
      if digits.utf8.count < length {
        return [UInt8](repeating: 0x30, count: length - 1 - digits.utf8.count) + Array(digits.utf8)
          + [0]
      }
    }
    var bytes = [UInt8](repeating: value < 0 ? 0xFF : 0, count: length)
    var rest = value
    for index in stride(from: length - 1, through: max(1, length - 8), by: -1) {
      bytes[index] = UInt8(truncatingIfNeeded: rest)
      rest >>= 8
    }
    bytes[0] = value < 0 ? 0xFF : 0x80
    return bytes
  }

  // MARK: - Reading

  /// The fields of a block; nil for one of zeros, which ends an archive.
  package static func decode(_ block: [UInt8]) throws(DecodingFailure) -> TarHeader? {
    guard block.count == blockLength else { throw failure("a block is cut off", 0) }
    if block.allSatisfy({ $0 == 0 }) { return nil }
    let spaces = [UInt8](repeating: 0x20, count: 8)
    let sum =
      block.reduce(0) { $0 + Int64($1) }
      - block[Field.checksum].reduce(0) { $0 + Int64($1) } + spaces.reduce(0) { $0 + Int64($1) }
    guard try number(block, Field.checksum) == sum else {
      throw failure("the checksum of a header is wrong", Field.checksum.lowerBound)
    }
    // Before POSIX a NUL stood for a file.
    let flag = block[Field.kind] == 0 ? Kind.file.rawValue : block[Field.kind]
    guard let kind = Kind(rawValue: flag) else {
      throw failure("a member of an unknown kind (\(flag))", Field.kind)
    }
    var header = TarHeader(kind)
    header.name = text(block, Field.name)
    if block[Field.magic].starts(with: magic.prefix(6)) {
      let prefix = text(block, Field.prefix)
      if !prefix.isEmpty { header.name = prefix + [UInt8(ascii: "/")] + header.name }
    }
    header.target = text(block, Field.target)
    header.mode = UInt32(truncatingIfNeeded: try number(block, Field.mode)) & 0o7777
    header.uid = try small(block, Field.uid)
    header.gid = try small(block, Field.gid)
    let size = try number(block, Field.size)
    if size < 0 { throw failure("a negative size", Field.size.lowerBound) }
    header.size = UInt64(size)
    header.seconds = try number(block, Field.seconds)
    header.user = text(block, Field.user)
    header.group = text(block, Field.group)
    header.major = try small(block, Field.major)
    header.minor = try small(block, Field.minor)
    return header
  }

  private static func text(_ block: [UInt8], _ field: Range<Int>) -> [UInt8] {
    Array(block[field].prefix { $0 != 0 })
  }

  private static func small(
    _ block: [UInt8], _ field: Range<Int>
  ) throws(DecodingFailure) -> UInt32 {
    guard let value = UInt32(exactly: try number(block, field)) else {
      throw failure("a number is out of range", field.lowerBound)
    }
    return value
  }

  /// A number of any of the forms that archives have.
  static func number(
    _ block: [UInt8], _ field: Range<Int>
  ) throws(DecodingFailure) -> Int64 {
    if block[field.lowerBound] & 0x80 != 0 {
      var value: Int64 = block[field.lowerBound] & 0x40 != 0 ? -1 : 0
      for index in field {
        let byte = index == field.lowerBound ? block[index] & 0x7F : block[index]
        if index == field.lowerBound {
          value = block[index] & 0x40 != 0 ? Int64(byte) - 0x80 : Int64(byte)
          continue
        }
        let (shifted, isTooLarge) = value.multipliedReportingOverflow(by: 256)
        if isTooLarge { throw failure("a number is out of range", field.lowerBound) }
        value = shifted | Int64(byte)
      }
      return value
    }
    var value: Int64 = 0
    for byte in block[field].drop(while: { $0 == 0x20 }) {
      if byte == 0 || byte == 0x20 { break }
      guard (0x30...0x37).contains(byte) else {
        throw failure("a number that is not octal", field.lowerBound)
      }
      let (shifted, isTooLarge) = value.multipliedReportingOverflow(by: 8)
      if isTooLarge { throw failure("a number is out of range", field.lowerBound) }
      value = shifted | Int64(byte - 0x30)
    }
    return value
  }

  static func failure(_ message: String, _ offset: Int) -> DecodingFailure {
    DecodingFailure(message: message, offset: offset)
  }
}
