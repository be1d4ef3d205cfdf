internal import DTMSystem

/// Which frames are read whole in a verification.
struct FrameSample {
  static let all = FrameSample(share: 1)
  static let none = FrameSample(share: 0)

  /// Of 2^32.
  private let limit: UInt64
  /// Another one each time, so that in time every frame is looked at.
  private let seed: UInt64

  /// `share`: from 0 to 1.
  init(share: Double) {
    limit = UInt64(min(max(share, 0), 1) * 4_294_967_296)
    seed = SecureRandom.bytes(8).reduce(0) { $0 << 8 | UInt64($1) }
  }

  var isAll: Bool { limit == 1 << 32 }

  func holds(_ pack: PackID, _ offset: Int) -> Bool {
    if isAll { return true }
    // SplitMix64's finish spreads neighbouring offsets over all numbers.
    var mixed = seed ^ UInt64(truncatingIfNeeded: pack.hashValue) &+ UInt64(offset)
    mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
    return (mixed ^ mixed >> 31) >> 32 < limit
  }
}
