/// Text as bytes, put together without formatting machinery: the data is made at hundreds of MB/s.
struct Text {
  private(set) var bytes: [UInt8] = []

  init(reserving count: Int) { bytes.reserveCapacity(count) }

  mutating func add(_ text: StaticString) {
    bytes.append(
      contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  mutating func add(_ text: [UInt8]) { bytes.append(contentsOf: text) }

  /// Decimal digits, with zeros before them up to `width`.
  mutating func add(_ number: Int, width: Int = 1) {
    var divisor = 1
    var digits = 1
    while digits < width || number / divisor >= 10 {
      divisor *= 10
      digits += 1
    }
    var rest = number
    while divisor > 0 {
      bytes.append(0x30 + UInt8(rest / divisor % 10))
      rest %= divisor
      divisor /= 10
    }
  }

  /// Eight hexadecimal digits.
  mutating func add(hexadecimal number: UInt32) {
    for shift in stride(from: 28, through: 0, by: -4) {
      let digit = UInt8(number >> UInt32(shift) & 15)
      bytes.append(digit < 10 ? 0x30 + digit : 0x57 + digit)
    }
  }

  /// The first `count` bytes.
  func prefix(_ count: Int) -> [UInt8] { Array(bytes.prefix(count)) }
}
