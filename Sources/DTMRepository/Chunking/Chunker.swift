/// Finds content-defined borders: FastCDC with a normalised 64-bit gear hash.
///
/// Algorithm: Xia et al. 2016, FastCDC, §3; two bytes a step, the minimum skipped (format: Chunks).
package struct Chunker: Sendable {
  package let parameters: ChunkerParameters
  private let hardMask: UInt64
  private let easyMask: UInt64

  /// `gear[i]`: the first 8 bytes, little-endian, of SHA-256("dtm gear", i).
  package static let gear: [UInt64] = (0...255).map { byte in
    Digest.checksum((Array("dtm gear".utf8) + [UInt8(byte)]).span)
  }
  /// The table shifted left by one, for the first of two bytes.
  private static let shiftedGear: [UInt64] = gear.map { $0 << 1 }

  package init(_ parameters: ChunkerParameters) {
    self.parameters = parameters
    let bits = UInt64(parameters.average.trailingZeroBitCount)
    hardMask = ((1 << (bits + 2)) - 1) << (61 - bits)
    easyMask = ((1 << (bits - 2)) - 1) << (65 - bits)
  }

  /// The length of the first chunk of `bytes[start...]`, where the content ends with `bytes`.
  ///
  /// While more content may follow, call it only with at least `parameters.maximum` bytes left.
  package func cut(_ bytes: Span<UInt8>, from start: Int) -> Int {
    let left = bytes.count - start
    if left <= parameters.minimum { return left }
    var hash: UInt64 = 0
    let last = min(left, parameters.maximum)
    let middle = min(last, parameters.average)
    if let found = Self.find(
      bytes, from: start + parameters.minimum, to: start + middle, mask: hardMask, hash: &hash)
    {
      return found - start
    }
    if let found = Self.find(
      bytes, from: start + middle, to: start + last, mask: easyMask, hash: &hash)
    {
      return found - start
    }
    return last
  }

  /// The position after the first byte at which the hash meets the mask. No mask has bit 63, so the
  /// two-byte step, which tests the first of its bytes with everything shifted by one, cuts exactly
  /// where one byte a step would.
  private static func find(
    _ bytes: Span<UInt8>, from start: Int, to end: Int, mask: UInt64, hash: inout UInt64
  ) -> Int? {
    let table = gear.span
    let shifted = shiftedGear.span
    let shiftedMask = mask << 1
    var position = start
    var value = hash
    while position &+ 2 <= end {
      value = (value &<< 2) &+ shifted[Int(bytes[position])]
      if value & shiftedMask == 0 { return position &+ 1 }
      value = value &+ table[Int(bytes[position &+ 1])]
      position &+= 2
      if value & mask == 0 { return position }
    }
    if position < end {
      value = (value &<< 1) &+ table[Int(bytes[position])]
      position &+= 1
      if value & mask == 0 { return position }
    }
    hash = value
    return nil
  }
}
