/// Decides after which entries pages end (format: The tree, Borders).
///
/// It sees keys only, and starts anew with each page: what a border is depends on nothing before the
/// page's begin, so that two trees that differ in one place have the same pages elsewhere.
package struct PageBorder {
  static let minimumEntries = 32
  static let minimumKeyBytes = 8_192
  static let maximumEntries = 512
  static let maximumKeyBytes = 65_536
  private static let mask: UInt64 = 63

  let level: UInt8
  /// In the page that is open.
  private(set) var entries = 0
  private(set) var keyBytes = 0

  init(level: UInt8) {
    self.level = level
  }

  /// Takes the key `bytes[start ..< end]`; returns whether the page ends after it.
  mutating func endsAfter(_ bytes: [UInt8], from start: Int, to end: Int) -> Bool {
    entries += 1
    keyBytes += end - start
    if entries >= Self.maximumEntries || keyBytes >= Self.maximumKeyBytes { return true }
    if entries < Self.minimumEntries && keyBytes < Self.minimumKeyBytes { return false }
    return Self.hash(level: level, bytes, from: start, to: end) & Self.mask == 0
  }

  /// Begins the next page.
  mutating func restart() {
    entries = 0
    keyBytes = 0
  }

  /// FNV-1a 64 over the level and the key `bytes[start ..< end]`, and the finaliser of MurmurHash3, whose
  /// low bits are good.
  package static func hash(level: UInt8, _ bytes: [UInt8], from start: Int, to end: Int) -> UInt64 {
    let prime: UInt64 = 1_099_511_628_211
    var x = (14_695_981_039_346_656_037 ^ UInt64(level)) &* prime
    let span = bytes.span
    for index in start..<end { x = (x ^ UInt64(span[index])) &* prime }
    x ^= x >> 33
    x = x &* 0xFF51_AFD7_ED55_8CCD
    x ^= x >> 33
    x = x &* 0xC4CE_B9FE_1A85_EC53
    x ^= x >> 33
    return x
  }
}
