package import DTMSystem

/// Counts the files that a folder lost between two snapshots, less those that others took the place of.
///
/// Ordinary work removes many files at once too: a partition that is overwritten, a table that is
/// compacted, logs that rotate, another branch that is checked out. It leaves new files where the old ones
/// were; an `rm -rf` does not. So what is lost of a directory counts only as far as nothing was written
/// into it: as many files, or as many bytes. What is written beyond that in a directory stands for lost
/// files of the same suffix in those beside it.
package struct GuardBalance: Sendable {
  /// Lost and written files of a directory.
  private struct Side: Sendable {
    var lost: [[UInt8]: Int] = [:]
    var lostBytes = 0
    var added: [[UInt8]: Int] = [:]
    /// Files that were there before and have other content now.
    var changed = 0
    var writtenBytes = 0
  }

  /// Lost files, whatever came in their place.
  package private(set) var lostFiles = 0
  private var sides: [PathKey: Side] = [:]
  /// Directories beneath which files are removed on purpose.
  private var excused: Set<PathKey> = []

  package init() {}

  /// A file is gone, or there is nothing in it any more. `bytes`: that it held.
  package mutating func lost(_ key: PathKey, bytes: Int) {
    guard let parent = key.parent else { return }
    lostFiles += 1
    sides[parent, default: Side()].lost[Self.suffix(key), default: 0] += 1
    sides[parent, default: Side()].lostBytes += bytes
  }

  /// A file is new.
  package mutating func added(_ key: PathKey, bytes: Int) {
    guard let parent = key.parent else { return }
    sides[parent, default: Side()].added[Self.suffix(key), default: 0] += 1
    sides[parent, default: Side()].writtenBytes += bytes
  }

  /// A file has other content. `grownBy`: bytes more than before.
  package mutating func changed(_ key: PathKey, grownBy bytes: Int) {
    guard let parent = key.parent else { return }
    sides[parent, default: Side()].changed += 1
    sides[parent, default: Side()].writtenBytes += max(0, bytes)
  }

  /// Whoever looks after the files of a directory and all beneath it says that it removed them.
  package mutating func excuse(beneath directory: PathKey) {
    excused.insert(directory)
  }

  /// How many files are lost and nothing came in their place. `trust`: the part of what is new that counts,
  /// from 0 to 1; new files that are noise take nobody's place.
  package func missing(trust: Double = 1) -> Int {
    var missing: [PathKey: [[UInt8]: Int]] = [:]
    var beyond: [PathKey: [[UInt8]: Int]] = [:]
    for (directory, side) in sides {
      if isExcused(directory) { continue }
      let (lost, added) = Self.settled(side, trust)
      // What is left meets that of the directories beside this one.
      let place = directory.parent ?? directory
      if !lost.isEmpty { missing[place, default: [:]].merge(lost, uniquingKeysWith: +) }
      if !added.isEmpty { beyond[place, default: [:]].merge(added, uniquingKeysWith: +) }
    }
    var total = 0
    for (place, lost) in missing {
      for (suffix, count) in lost { total += max(0, count - (beyond[place]?[suffix] ?? 0)) }
    }
    return total
  }

  private func isExcused(_ directory: PathKey) -> Bool {
    if excused.isEmpty { return false }
    var key: PathKey? = directory
    while let place = key {
      if excused.contains(place) { return true }
      key = place.parent
    }
    return false
  }

  /// What is left of one directory's sides when one is set against the other.
  private static func settled(
    _ side: Side, _ trust: Double
  ) -> (lost: [[UInt8]: Int], added: [[UInt8]: Int]) {
    let lost = side.lost.values.reduce(0, +)
    let added = side.added.mapValues { Int(Double($0) * trust) }
    let new = added.values.reduce(0, +)
    if lost == 0 { return ([:], added) }
    var replaced = new + Int(Double(side.changed) * trust)
    let written = Double(side.writtenBytes) * trust
    if side.lostBytes > 0, replaced > 0 {
      let share = min(1, written / Double(side.lostBytes))
      replaced = max(replaced, Int((Double(lost) * share).rounded(.up)))
    }
    if replaced < lost { return (side.lost.scaled(to: lost - replaced), [:]) }
    return ([:], new > lost ? added.scaled(to: new - lost) : [:])
  }

  /// What follows a name's last dot.
  private static func suffix(_ key: PathKey) -> [UInt8] {
    let name = key.name
    guard let dot = name.lastIndex(of: UInt8(ascii: ".")) else { return [] }
    return Array(name[(dot + 1)...])
  }
}

extension [[UInt8]: Int] {
  /// The same parts of another whole.
  fileprivate func scaled(to whole: Int) -> [[UInt8]: Int] {
    let sum = values.reduce(0, +)
    if sum <= whole { return self }
    var rest = whole
    var result: [[UInt8]: Int] = [:]
    for (key, count) in sorted(by: { ($0.value, $1.key.count) > ($1.value, $0.key.count) }) {
      let part = Swift.min(rest, (count * whole + sum - 1) / sum)
      if part > 0 { result[key] = part }
      rest -= part
    }
    return result
  }
}
