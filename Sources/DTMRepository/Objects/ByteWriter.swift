/// Writes the format's primitives (format: Conventions). The only encoder of the object path.
package struct ByteWriter {
  /// What was written so far.
  package var bytes: [UInt8]

  package init(reserving capacity: Int = 0) {
    bytes = []
    bytes.reserveCapacity(capacity)
  }

  /// One byte.
  package mutating func u8(_ value: UInt8) { bytes.append(value) }

  /// Four bytes, little-endian.
  package mutating func u32(_ value: UInt32) {
    for shift in stride(from: UInt32(0), to: 32, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// Eight bytes, little-endian.
  package mutating func u64(_ value: UInt64) {
    for shift in stride(from: UInt64(0), to: 64, by: 8) {
      bytes.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// A LEB128 number in its shortest form.
  package mutating func varint(_ value: UInt64) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// A count or length that is not negative.
  package mutating func varint(_ value: Int) { varint(UInt64(value)) }

  /// A varint in zigzag form: 0, -1, 1, -2, …
  package mutating func svarint(_ value: Int64) {
    varint(UInt64(bitPattern: value << 1 ^ value >> 63))
  }

  /// Bytes as they are, without a length.
  package mutating func raw(_ value: [UInt8]) { bytes += value }

  /// Bytes as they are, without a length.
  package mutating func raw(_ value: ArraySlice<UInt8>) { bytes += value }

  /// A varint length and the bytes.
  package mutating func counted(_ value: [UInt8]) {
    varint(value.count)
    bytes += value
  }

  /// A varint length and the UTF-8 bytes.
  package mutating func string(_ value: String) { counted(Array(value.utf8)) }

  /// An object id's 32 bytes.
  package mutating func id(_ value: ObjectID) { value.append(to: &bytes) }

  /// A numbered field of a `fields` encoding; callers write ascending numbers.
  package mutating func field(_ number: Int, _ body: (inout ByteWriter) -> Void) {
    var inner = ByteWriter()
    body(&inner)
    varint(number)
    counted(inner.bytes)
  }

  /// A varint count and each element.
  package mutating func list<Element>(
    _ elements: [Element], _ body: (inout ByteWriter, Element) -> Void
  ) {
    varint(elements.count)
    for element in elements { body(&self, element) }
  }
}
