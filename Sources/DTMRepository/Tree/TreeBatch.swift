package import DTMSystem

/// Changes of a tree that are applied together.
///
/// First what `removedSubtrees` and `removed` name goes, then `entries` come: an entry that is also
/// removed is there afterwards. Each list may be in any order; of two entries with one key the later
/// counts. What is removed need not be there.
package struct TreeBatch: Sendable {
  /// Each key and all beneath it.
  package var removedSubtrees: [PathKey]
  /// Each key alone; what is beneath it has to go too.
  package var removed: [PathKey]
  /// New entries, and new values of entries that are there.
  package var entries: [TreeEntry]

  /// A batch; without arguments one that changes nothing.
  package init(
    removedSubtrees: [PathKey] = [], removed: [PathKey] = [], entries: [TreeEntry] = []
  ) {
    self.removedSubtrees = removedSubtrees
    self.removed = removed
    self.entries = entries
  }

  /// Whether there is nothing to apply.
  package var isEmpty: Bool { removedSubtrees.isEmpty && removed.isEmpty && entries.isEmpty }
}

/// The keys from `start` up to but without `end`; nil: to the last.
struct KeyRange: Sendable {
  let start: [UInt8]
  let end: [UInt8]?
  /// Whether it takes an entry and leaves what is beneath it.
  var isSingleEntry = false

  func contains(_ key: [UInt8]) -> Bool {
    !KeyOrder.isLess(key, start) && !isBefore(key)
  }

  /// Whether all of it is less than the key.
  func isBefore(_ key: [UInt8]) -> Bool {
    guard let end else { return false }
    return !KeyOrder.isLess(key, end)
  }
}

/// What changes in one level: entries go, entries come.
struct LevelEdits<Item: LevelItem> {
  /// Ascending and disjoint.
  let ranges: [KeyRange]
  /// Ascending.
  let items: [Item]
}

extension LevelEdits where Item == TreeEntry {
  init(_ batch: TreeBatch) {
    ranges = Self.ranges(batch)
    items = Self.items(batch.entries)
  }

  private static func ranges(_ batch: TreeBatch) -> [KeyRange] {
    var all: [KeyRange] = []
    all.reserveCapacity(batch.removed.count + batch.removedSubtrees.count)
    for key in batch.removedSubtrees {
      all.append(KeyRange(start: key.bytes, end: KeyOrder.endOfSubtree(key.bytes)))
    }
    for key in batch.removed {
      all.append(
        KeyRange(start: key.bytes, end: KeyOrder.successor(of: key.bytes), isSingleEntry: true))
    }
    all.sort { left, right in
      if left.start == right.start { return !left.isSingleEntry && right.isSingleEntry }
      return KeyOrder.isLess(left.start, right.start)
    }
    // Two ranges are apart or one holds the other: the first of them.
    var disjoint: [KeyRange] = []
    for range in all {
      if let last = disjoint.last, !last.isBefore(range.start) { continue }
      disjoint.append(range)
    }
    return disjoint
  }

  private static func items(_ entries: [TreeEntry]) -> [TreeEntry] {
    let order = entries.indices.sorted { left, right in
      let leftKey = entries[left].key.bytes
      let rightKey = entries[right].key.bytes
      if KeyOrder.isLess(leftKey, rightKey) { return true }
      return left < right && leftKey == rightKey
    }
    var items: [TreeEntry] = []
    items.reserveCapacity(entries.count)
    for index in order {
      let entry = entries[index]
      if let last = items.last, last.key == entry.key { items.removeLast() }
      items.append(entry)
    }
    return items
  }

  /// The new entry of a key.
  func item(_ key: [UInt8]) -> TreeEntry? {
    let index = Self.count(items, precede: { KeyOrder.isLess($0.key.bytes, key) })
    return index < items.count && items[index].key.bytes == key ? items[index] : nil
  }

  /// Whether an entry of the key goes.
  func removes(_ key: [UInt8]) -> Bool {
    let index = Self.count(ranges, precede: { $0.isBefore(key) })
    return index < ranges.count && ranges[index].contains(key)
  }

  private static func count<Element>(
    _ elements: [Element], precede: (Element) -> Bool
  ) -> Int {
    var low = 0
    var high = elements.count
    while low < high {
      let middle = (low + high) / 2
      if precede(elements[middle]) { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
