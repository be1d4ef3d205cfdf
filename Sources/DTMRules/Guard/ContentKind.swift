/// What a file's first bytes look like: enough to tell data from what encryption or wiping leaves of it.
package enum ContentKind: Sendable, Hashable {
  /// One value over and over.
  case blank
  /// Text in any alphabet.
  case text
  /// It begins as a known format of packed data does, whose bytes may look like noise.
  case packed
  /// Nothing tells it from random bytes.
  case noise
  case other

  /// So many bytes of a file tell most; fewer will do.
  package static let sampleInBytes = 4096
  /// Fewer bytes tell nothing of noise.
  private static let leastNoise = 64
  /// From so many bytes on the frequencies of the values are looked at, not only which occur.
  private static let leastFrequencies = 1024
  /// χ² of random bytes is 255 on average, with a deviation of 22.6; five of them above.
  private static let highestSquare = 370.0

  /// How known formats begin: parquet, zip (npz, pt, xlsx, jar), gzip, zstd, xz, bzip2, lz4, 7z, zlib (git's
  /// objects), SQLite, HDF5, numpy, ORC, Avro, Arrow, PNG, JPEG, GIF, PDF, ELF, RIFF, OggS, fLaC, a pickle's
  /// and a git pack's and index's first bytes, TIFF, MP3's tag, and what age and OpenSSL write.
  private static let beginnings: [[UInt8]] = [
    Array("PAR1".utf8), Array("PK".utf8), [0x1F, 0x8B], [0x28, 0xB5, 0x2F, 0xFD],
    [0xFD, 0x37, 0x7A, 0x58, 0x5A], Array("BZh".utf8), [0x04, 0x22, 0x4D, 0x18],
    [0x37, 0x7A, 0xBC, 0xAF], [0x78, 0x01], [0x78, 0x5E], [0x78, 0x9C], [0x78, 0xDA],
    Array("SQLite f".utf8), [0x89, 0x48, 0x44, 0x46], [0x93, 0x4E, 0x55, 0x4D],
    Array("ORC".utf8), Array("Obj".utf8) + [1], Array("ARROW1".utf8), [0x89, 0x50, 0x4E, 0x47],
    [0xFF, 0xD8, 0xFF], Array("GIF8".utf8), Array("%PDF".utf8), [0x7F, 0x45, 0x4C, 0x46],
    Array("RIFF".utf8), Array("OggS".utf8), Array("fLaC".utf8), [0x80, 0x02], [0x80, 0x03],
    [0x80, 0x04, 0x95], [0x80, 0x05, 0x95], Array("PACK".utf8), Array("DIRC".utf8),
    Array("II*".utf8), Array("MM".utf8) + [0], Array("ID3".utf8), Array("age-enc".utf8),
    Array("Salted__".utf8),
  ]

  /// `sample`: the first bytes of a file that is not empty.
  package init(_ sample: [UInt8]) {
    var counts = [Int](repeating: 0, count: 256)
    for byte in sample { counts[Int(byte)] += 1 }
    let different = counts.count { $0 > 0 }
    if different <= 1 {
      self = .blank
    } else if Self.beginnings.contains(where: sample.starts) || Self.isMovie(sample) {
      self = .packed
    } else if Self.isText(counts) {
      self = .text
    } else {
      self = Self.isNoise(counts, sample.count, different) ? .noise : .other
    }
  }

  /// `ftyp` behind a length: MP4, MOV, HEIC.
  private static func isMovie(_ sample: [UInt8]) -> Bool {
    sample.count >= 8 && sample[4..<8].elementsEqual("ftyp".utf8)
  }

  /// No control character but those from tab to carriage return, and the escape of coloured logs.
  private static func isText(_ counts: [Int]) -> Bool {
    counts[0..<9].allSatisfy { $0 == 0 } && counts[14..<27].allSatisfy { $0 == 0 }
      && counts[28..<32].allSatisfy { $0 == 0 }
  }

  private static func isNoise(_ counts: [Int], _ length: Int, _ different: Int) -> Bool {
    if length < leastNoise { return false }
    if length >= leastFrequencies {
      let expected = Double(length) / 256
      let square = counts.reduce(0) { sum, count in
        let distance = Double(count) - expected
        return sum + distance * distance / expected
      }
      return square < highestSquare
    }
    // How many values so many random bytes have, less four deviations; and half of them are above ASCII.
    var missing = 1.0
    for _ in 0..<length { missing *= 255.0 / 256 }
    let deviation = (256 * missing * (1 - missing)).squareRoot()
    let high = counts[128...].reduce(0, +)
    return Double(different) >= 256 * (1 - missing) - 4 * deviation && high * 10 >= length * 3
      && high * 10 <= length * 7
  }

  /// What becomes of content that is replaced.
  package enum Turn: Sendable, Hashable {
    /// Other data of the same sort, as far as can be seen.
    case alike
    /// There is nothing in it any more.
    case blanked
    /// Nothing can be read of it any more: as encryption leaves it.
    case noise
    /// Data of another sort.
    case unlike
  }

  /// What it means that such content is in the place of other.
  package func turn(from old: ContentKind) -> Turn {
    if self == old { return .alike }
    switch self {
    case .blank: return .blanked
    case .noise: return .noise
    case .text, .packed, .other:
      return old == .text || self == .text && old != .blank ? .unlike : .alike
    }
  }
}
