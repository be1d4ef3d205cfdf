/// The bytes of one simulated file: what the running system sees, and what a disk may hold.
///
/// A sector of 512 bytes is written whole or not at all, sectors in any order. A sector that was
/// written and not synchronised holds, after a crash, what it held before or what any of the writes
/// since left in it. The length likewise is any that the file has had since, or a sector border on
/// the way as it grew; bytes below the length that never came to the disk are zeros.
struct SimulatedContent {
  static let sectorLength = 512

  /// What reads return now.
  private(set) var bytes: [UInt8] = []
  /// The possible contents (512 bytes each, oldest first) of sectors where there are several.
  private var sectors: [Int: [[UInt8]]] = [:]
  /// The sectors that the next synchronisation writes. One that is in `sectors` and not here was
  /// lost by a failed synchronisation: the kernel marks pages clean that never came to the disk.
  private var dirtySectors: Set<Int> = []
  /// The possible lengths, oldest first.
  private var lengths = [0]
  private var lengthIsDirty = false

  var isSettled: Bool { sectors.isEmpty && lengths.count == 1 }

  init() {}

  /// Content that is on disk as it is.
  init(settled bytes: [UInt8]) {
    self.bytes = bytes
    lengths = [bytes.count]
  }

  mutating func write(_ new: ArraySlice<UInt8>, at offset: Int) {
    if new.isEmpty { return }
    let end = offset + new.count
    let oldLength = bytes.count
    change(from: offset, to: end) { bytes in
      if bytes.count < end { bytes += [UInt8](repeating: 0, count: end - bytes.count) }
      bytes.replaceSubrange(offset..<end, with: new)
    }
    // A length that a failed synchronisation left in doubt is written again with the data.
    if lengths.count > 1 { lengthIsDirty = true }
    if end > oldLength {
      var border = (oldLength / Self.sectorLength + 1) * Self.sectorLength
      while border < end {
        lengths.append(border)
        border += Self.sectorLength
      }
      lengths.append(end)
      lengthIsDirty = true
    }
  }

  mutating func truncate(to length: Int) {
    if length == bytes.count { return }
    if length < bytes.count {
      change(from: length, to: bytes.count) { bytes in
        bytes.removeSubrange(length...)
      }
    } else {
      bytes += [UInt8](repeating: 0, count: length - bytes.count)
    }
    lengths.append(length)
    lengthIsDirty = true
  }

  mutating func synchronize() {
    for sector in dirtySectors { sectors[sector] = nil }
    dirtySectors = []
    if lengthIsDirty {
      lengths = [bytes.count]
      lengthIsDirty = false
    }
  }

  /// A synchronisation that failed: nothing more is known of the disk than before, and no later
  /// one writes what this one was to write.
  ///
  /// `reverting`: the system forgets what it could not write and reads the old bytes back, as btrfs
  /// does; else it goes on showing the new ones, as ext4 and XFS do.
  mutating func failSynchronizing(reverting: Bool) {
    if reverting, !dirtySectors.isEmpty || lengthIsDirty {
      bytes = content(ofLength: lengths[0]) { _ in 0 }
      if lengths[lengths.count - 1] != bytes.count { lengths.append(bytes.count) }
      for sector in sectors.keys {
        let now = self.sector(sector)
        if sectors[sector]?.last != now { sectors[sector]?.append(now) }
      }
    }
    dirtySectors = []
    lengthIsDirty = false
  }

  private mutating func change(from: Int, to: Int, _ body: (inout [UInt8]) -> Void) {
    let touched = from / Self.sectorLength...(to - 1) / Self.sectorLength
    for sector in touched where sectors[sector] == nil { sectors[sector] = [self.sector(sector)] }
    body(&bytes)
    for sector in touched {
      let now = self.sector(sector)
      if sectors[sector]?.last != now { sectors[sector]?.append(now) }
      if sectors[sector]?.count == 1 {
        sectors[sector] = nil
      } else {
        dirtySectors.insert(sector)
      }
    }
  }

  private func sector(_ number: Int) -> [UInt8] {
    let start = min(number * Self.sectorLength, bytes.count)
    let end = min(start + Self.sectorLength, bytes.count)
    return bytes[start..<end] + [UInt8](repeating: 0, count: Self.sectorLength - (end - start))
  }
}

// MARK: - What a crash leaves

extension SimulatedContent {
  /// How many contents a crash may leave (equal ones counted apart); at most `limit`.
  func crashCount(limit: Int) -> Int {
    var total = 0
    for length in lengths {
      var product = 1
      for (sector, versions) in sectors where sector * Self.sectorLength < length {
        product = min(limit, product * versions.count)
      }
      total = min(limit, total + product)
    }
    return total
  }

  /// All contents that a crash may leave; only for few.
  func allCrashContents() -> Set<[UInt8]> {
    var result: Set<[UInt8]> = []
    for length in lengths {
      let concerned = sectors.keys.filter { $0 * Self.sectorLength < length }.sorted()
      var choices: [[Int: Int]] = [[:]]
      for sector in concerned {
        let count = sectors[sector]?.count ?? 1
        choices = choices.flatMap { choice in
          (0..<count).map { version in choice.merging([sector: version]) { $1 } }
        }
      }
      for choice in choices { result.insert(content(ofLength: length) { choice[$0] ?? 0 }) }
    }
    return result
  }

  /// One of them; `bias` is about how many in 8 of the newest versions came to the disk.
  func crashContent(bias: Int, using generator: inout SplitMix) -> [UInt8] {
    let newest = generator.below(8) < bias
    let length = newest ? lengths[lengths.count - 1] : lengths[generator.below(lengths.count)]
    var chosen: [Int: Int] = [:]
    for sector in sectors.keys.sorted() {
      let count = sectors[sector]?.count ?? 1
      chosen[sector] = generator.below(8) < bias ? count - 1 : generator.below(count)
    }
    return content(ofLength: length) { chosen[$0] ?? 0 }
  }

  /// What is there when nothing, or everything, of what is pending came to the disk.
  func extremeContent(newest: Bool) -> [UInt8] {
    let length = newest ? lengths[lengths.count - 1] : lengths[0]
    return content(ofLength: length) { newest ? (sectors[$0]?.count ?? 1) - 1 : 0 }
  }

  private func content(ofLength length: Int, version: (Int) -> Int) -> [UInt8] {
    let end = (length + Self.sectorLength - 1) / Self.sectorLength * Self.sectorLength
    var result = Array(bytes.prefix(end))
    result += [UInt8](repeating: 0, count: end - result.count)
    for (sector, versions) in sectors where sector * Self.sectorLength < length {
      let start = sector * Self.sectorLength
      result.replaceSubrange(start..<(start + Self.sectorLength), with: versions[version(sector)])
    }
    result.removeSubrange(length...)
    return result
  }
}
