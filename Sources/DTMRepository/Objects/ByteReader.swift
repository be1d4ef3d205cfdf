internal import DTMSystem

/// Why bytes could not be decoded; the reader of a whole object adds what object it was.
package struct DecodingFailure: Error, Sendable {
  /// A phrase: what is wrong.
  package let message: String
  /// Where in the bytes.
  package let offset: Int

  /// `message`: a phrase; `offset`: in bytes from where reading began.
  package init(message: String, offset: Int) {
    self.message = message
    self.offset = offset
  }
}

/// Reads the format's primitives from bytes, checking every bound (format: Conventions).
///
/// A list's count is never trusted for an allocation: what is reserved is bounded by the bytes that
/// are left.
package struct ByteReader {
  private let bytes: [UInt8]
  /// Of the next byte.
  package private(set) var offset: Int
  private let end: Int

  /// Reads all of `bytes`.
  package init(_ bytes: [UInt8]) {
    self.init(bytes, from: 0, to: bytes.count)
  }

  /// Reads the part `start ..< end` of the bytes.
  package init(_ bytes: [UInt8], from start: Int, to end: Int) {
    precondition(start >= 0 && start <= end && end <= bytes.count)
    self.bytes = bytes
    offset = start
    self.end = end
  }

  /// Whether nothing is left, and how many bytes are.
  package var isAtEnd: Bool { offset == end }
  package var remaining: Int { end - offset }

  /// A failure at the present offset.
  package func failure(_ message: String) -> DecodingFailure {
    DecodingFailure(message: message, offset: offset)
  }

  private mutating func take(_ count: Int) throws(DecodingFailure) -> Int {
    guard count >= 0, count <= end - offset else {
      throw failure("the bytes end too early: \(count) more are needed, \(end - offset) are left")
    }
    let start = offset
    offset += count
    return start
  }

  /// One byte. Throws at the end, as all of these do.
  package mutating func u8() throws(DecodingFailure) -> UInt8 {
    bytes[try take(1)]
  }

  /// Four bytes, little-endian.
  package mutating func u32() throws(DecodingFailure) -> UInt32 {
    let start = try take(4)
    var value: UInt32 = 0
    for index in 0..<4 { value |= UInt32(bytes[start + index]) << UInt32(8 * index) }
    return value
  }

  /// Eight bytes, little-endian.
  package mutating func u64() throws(DecodingFailure) -> UInt64 {
    let start = try take(8)
    return bytes.span.littleEndianWord(at: start)
  }

  /// A LEB128 number in its shortest form, of at most ten bytes; any longer form throws.
  package mutating func varint() throws(DecodingFailure) -> UInt64 {
    // Most are small.
    if offset < end {
      let first = bytes[offset]
      if first < 0x80 {
        offset &+= 1
        return UInt64(first)
      }
    }
    return try longVarint()
  }

  private mutating func longVarint() throws(DecodingFailure) -> UInt64 {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while true {
      let byte = try u8()
      if shift == 63 && byte > 1 { throw failure("a number is larger than 64 bits") }
      value |= UInt64(byte & 0x7F) &<< shift
      if byte < 0x80 {
        if byte == 0 && shift > 0 { throw failure("a number is not in its shortest form") }
        return value
      }
      shift += 7
      if shift > 63 { throw failure("a number is longer than 10 bytes") }
    }
  }

  /// A number that fits an `Int`, at most `limit`.
  package mutating func int(limit: Int = Int.max) throws(DecodingFailure) -> Int {
    let value = try varint()
    guard value <= UInt64(limit) else { throw failure("\(value) is larger than \(limit)") }
    return Int(value)
  }

  /// A count of things that take at least `minimumLength` bytes each.
  package mutating func count(minimumLength: Int = 1) throws(DecodingFailure) -> Int {
    let value = try int()
    guard value <= remaining / minimumLength else {
      throw failure("\(value) elements do not fit into \(remaining) bytes")
    }
    return value
  }

  /// Goes past a number, without a look at its form.
  package mutating func skipVarint() throws(DecodingFailure) {
    while offset < end {
      let byte = bytes[offset]
      offset &+= 1
      if byte < 0x80 { return }
    }
    throw failure("a number is cut off")
  }

  /// Goes past a varint length and so many bytes; returns the length.
  package mutating func skipCounted() throws(DecodingFailure) -> Int {
    let length = try int()
    guard length <= remaining else { throw failure("\(length) bytes are cut off") }
    offset += length
    return length
  }

  /// A varint in zigzag form: 0, -1, 1, -2, …
  package mutating func svarint() throws(DecodingFailure) -> Int64 {
    let value = try varint()
    return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// So many bytes.
  package mutating func raw(_ count: Int) throws(DecodingFailure) -> [UInt8] {
    let start = try take(count)
    return Array(bytes[start..<(start + count)])
  }

  /// Appends `count` bytes to an array without a copy between.
  package mutating func raw(_ count: Int, into target: inout [UInt8]) throws(DecodingFailure) {
    let start = try take(count)
    target += bytes[start..<(start + count)]
  }

  /// A varint length and so many bytes.
  package mutating func counted() throws(DecodingFailure) -> [UInt8] {
    try raw(try int(limit: remaining))
  }

  /// A varint length and UTF-8 bytes.
  package mutating func string() throws(DecodingFailure) -> String {
    let counted = try counted()
    guard let text = String(validating: counted, as: UTF8.self) else {
      throw failure("a text is not UTF-8")
    }
    return text
  }

  /// An object id's 32 bytes.
  package mutating func id() throws(DecodingFailure) -> ObjectID {
    let start = try take(ObjectID.length)
    return ObjectID(bytes.span, at: start)
  }

  /// A varint count and each element.
  package mutating func list<Element>(
    minimumLength: Int = 1, _ body: (inout ByteReader) throws(DecodingFailure) -> Element
  ) throws(DecodingFailure) -> [Element] {
    let count = try count(minimumLength: minimumLength)
    var elements: [Element] = []
    elements.reserveCapacity(count)
    for _ in 0..<count { elements.append(try body(&self)) }
    return elements
  }

  /// Reads a `fields` encoding to the end: calls `body` with each number and a reader of its value,
  /// which `body` reads to its end or not at all (a number it does not know).
  package mutating func fields(
    _ body: (Int, inout ByteReader) throws(DecodingFailure) -> Void
  ) throws(DecodingFailure) {
    var last = -1
    while !isAtEnd {
      let number = try int()
      guard number > last else { throw failure("field \(number) comes after field \(last)") }
      last = number
      let length = try int(limit: remaining)
      let start = try take(length)
      var inner = ByteReader(bytes, from: start, to: start + length)
      try body(number, &inner)
      guard inner.isAtEnd || inner.offset == start else {
        throw inner.failure("field \(number) has \(inner.remaining) bytes too many")
      }
    }
  }
}
