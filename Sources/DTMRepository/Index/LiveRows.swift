/// The objects of a live pack, found by name: their rows in a line, and a hash table of the rows'
/// numbers.
///
/// It stays in memory as long as the repository is open, with the daemon that is; beside the rows it
/// needs 8 to 16 bytes an object, where a dictionary of locations took up to 150.
struct LiveRows {
  private static let fewestSlots = 64

  /// In the order of the pack.
  private(set) var rows: [PackRow] = []
  /// A row's number plus one, or 0; a power of two of them, at most half in use. Rows whose ids want
  /// the same slot stand in the next free ones.
  private var slots = [UInt32](repeating: 0, count: fewestSlots)

  mutating func append(_ row: PackRow) {
    rows.append(row)
    if rows.count * 2 > slots.count {
      slots = [UInt32](repeating: 0, count: slots.count * 2)
      for number in rows.indices { enter(number) }
    } else {
      enter(rows.count - 1)
    }
  }

  /// The frames that hold copies of an object, the last one first; none for a miss.
  func frameOffsets(of id: ObjectID, _ kind: ObjectKind) -> [Int] {
    var offsets: [Int] = []
    var slot = firstSlot(of: id)
    while slots[slot] != 0 {
      let row = rows[Int(slots[slot]) - 1]
      if row.id == id && row.kind == kind { offsets.append(row.frameOffset) }
      slot = (slot + 1) & (slots.count - 1)
    }
    return offsets.reversed()
  }

  private mutating func enter(_ number: Int) {
    var slot = firstSlot(of: rows[number].id)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = UInt32(number + 1)
  }

  /// An id is uniform already: its first word is hash enough.
  private func firstSlot(of id: ObjectID) -> Int {
    Int(truncatingIfNeeded: id.words.0) & (slots.count - 1)
  }
}
