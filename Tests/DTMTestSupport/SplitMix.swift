internal import Glibc

/// A seeded random generator (Steele et al. 2014, SplitMix64): the same seed, the same test.
package struct SplitMix: RandomNumberGenerator, Sendable {
  /// What the generator started from.
  package let seed: UInt64
  private var state: UInt64

  package init(seed: UInt64) {
    self.seed = seed
    state = seed
  }

  /// A generator with a seed of its own each run, which is printed; `DTM_SEED` sets it.
  package static func fresh(_ test: String) -> SplitMix {
    let given = unsafe getenv("DTM_SEED").flatMap { unsafe UInt64(String(cString: $0)) }
    let seed = given ?? UInt64.random(in: 1...999_999_999)
    print("seed of \(test): DTM_SEED=\(seed)")
    return SplitMix(seed: seed)
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// A number of `0 ..< bound`.
  package mutating func below(_ bound: Int) -> Int {
    Int.random(in: 0..<bound, using: &self)
  }

  /// True once in `count` times.
  package mutating func oneIn(_ count: Int) -> Bool { below(count) == 0 }
}
