import Glibc

/// Binary data: pages of one column each, as columnar files have them, and noise.
enum Columns {
  private static let largestPageInBytes = 64 * 1024

  /// A byte of noise as a difference of neighbouring sorted numbers: small ones are frequent.
  private static let deltas: [UInt8] = (0..<256).map { value in
    UInt8(min(255, -12 * log(1 - Double(value) / 256)))
  }
  /// A byte of noise as two packed indexes of a small dictionary.
  private static let indexes: [UInt8] = (0..<256).map { value in
    UInt8(min(value % 16, 9) << 4 | value / 16 % 6)
  }

  static func noise(_ count: Int, from random: inout Random) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + 8)
    while bytes.count < count {
      withUnsafeBytes(of: random.next().littleEndian) { bytes.append(contentsOf: $0) }
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  static func bytes(_ count: Int, from random: inout Random) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count + largestPageInBytes)
    var column: UInt32 = 0
    while bytes.count < count {
      let length = min(largestPageInBytes, max(1024, count - bytes.count))
      let page = page(of: column, noise(length, from: &random))
      bytes.append(contentsOf: Array("PAGE".utf8))
      for number in [column, UInt32(page.count)] {
        withUnsafeBytes(of: number.littleEndian) { bytes.append(contentsOf: $0) }
      }
      bytes.append(contentsOf: page)
      column += 1
    }
    bytes.removeLast(bytes.count - count)
    return bytes
  }

  private static func page(of column: UInt32, _ noise: [UInt8]) -> [UInt8] {
    switch column % 4 {
    case 0: noise.map { deltas[Int($0)] }
    case 1: noise.map { indexes[Int($0)] }
    case 2: doubles(noise)
    default: noise  // a page that is compressed already
    }
  }

  /// Doubles of one magnitude: three quiet bytes of eight.
  private static func doubles(_ noise: [UInt8]) -> [UInt8] {
    var page = noise
    for start in stride(from: 0, to: page.count / 8 * 8, by: 8) {
      page[start] = 0
      page[start + 6] = deltas[Int(noise[start / 8])]
      page[start + 7] = 0x40
    }
    return page
  }
}
