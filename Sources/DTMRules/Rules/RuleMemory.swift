package import DTMSystem

/// What rules have fired for, over the daemon's life: read from the ref log, where it is written with
/// the snapshots.
package struct RuleMemory: Sendable, Equatable {
  /// Marks of everything that a rule fired for, or that was there when the rule was new.
  package private(set) var marks: Set<UInt64> = []
  /// When a rule of a clock last fired, by its mark.
  package private(set) var times: [UInt64: Timestamp] = [:]
  /// When restores brought something back, no matter whether a daemon was there; in nanoseconds since 1970.
  private var restores: [ClosedRange<Int64>] = []

  package init() {}

  /// Takes in the marks of a record.
  package mutating func add(_ marks: [UInt64], at time: Timestamp) {
    for mark in marks {
      self.marks.insert(mark)
      times[mark] = max(times[mark] ?? time, time)
    }
  }

  /// A restore wrote between these times. What it made is no boundary.
  package mutating func addRestore(from start: Timestamp, to end: Timestamp) {
    restores.append(start.fileTime...max(start.fileTime, end.nanosecondsSince1970))
  }

  /// Whether a restore made this: it is of that time, and holds what is older.
  func isBroughtBack(_ version: PathVersion) -> Bool {
    restores.contains { $0.contains(version.born) && version.modified < $0.lowerBound }
  }

  /// Only these marks' times count.
  package mutating func keepTimes(of marks: Set<UInt64>) {
    times = times.filter { marks.contains($0.key) }
  }

  /// Whether this was fired for.
  package func has(_ mark: UInt64) -> Bool { marks.contains(mark) }

  /// The value of the fact: 8 bytes a mark, the highest first.
  package static func encoded(_ marks: [UInt64]) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(marks.count * 8)
    for mark in marks {
      for shift in stride(from: 56, through: 0, by: -8) {
        bytes.append(UInt8(truncatingIfNeeded: mark >> UInt64(shift)))
      }
    }
    return bytes
  }

  /// Nil for bytes that are no such value.
  package static func decoded(_ bytes: [UInt8]) -> [UInt64]? {
    if bytes.count % 8 != 0 { return nil }
    return stride(from: 0, to: bytes.count, by: 8).map { start in
      bytes[start..<(start + 8)].reduce(0) { $0 << 8 | UInt64($1) }
    }
  }

  /// A mark: FNV-1a over the parts, each ended by a NUL, and mixed once more, as FNV leaves short texts
  /// alike at the top.
  package static func mark(_ parts: [[UInt8]]) -> UInt64 {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for part in parts {
      for byte in part {
        hash ^= UInt64(byte)
        hash = hash &* 0x100_0000_01b3
      }
      hash = hash &* 0x100_0000_01b3
    }
    hash ^= hash >> 32
    hash = hash &* 0xd6e8_feb8_6659_fd93
    hash ^= hash >> 32
    return hash
  }
}

extension Timestamp {
  /// The least that the kernel stamps a file with which is made now, in nanoseconds since 1970: its clock for
  /// that is up to a tick late.
  package var fileTime: Int64 { advanced(by: .milliseconds(-10)).nanosecondsSince1970 }

  fileprivate var nanosecondsSince1970: Int64 {
    seconds &* 1_000_000_000 &+ Int64(nanoseconds)
  }
}

/// Which state of a path it is: another one is another version.
package struct PathVersion: Sendable, Hashable {
  package var device: UInt64
  package var inode: UInt64
  /// When the inode was made, which tells it from a former one of the same number; in nanoseconds since
  /// 1970, 0 where that is not known.
  package var born: Int64
  /// When its content changed. Its ctime moves with the number of its names too, as when a writer links
  /// a file to its place and removes the temporary name.
  package var modified: Int64
  package var size: UInt64

  package init(
    device: UInt64, inode: UInt64, born: Int64 = 0, modified: Int64, size: UInt64 = 0
  ) {
    self.device = device
    self.inode = inode
    self.born = born
    self.modified = modified
    self.size = size
  }
}
