/// What a session wrote into packs that it has sealed since: their tables are asked, not the memory.
///
/// A session may write millions of objects. Of each only eight bytes stay, so that nearly every object
/// that is new is known to be so without a look at any table.
struct SealedObjects {
  private var firstWords = WordSet()
  private var packs: [(writer: Int, table: IDTable)] = []

  /// Takes in a pack, whose table it is, and its objects; `writer` is the session's number for it.
  mutating func add(_ table: IDTable, _ rows: [PackRow], writer: Int) {
    for row in rows { firstWords.insert(row.id.words.0) }
    packs.append((writer, table))
  }

  mutating func removeAll() { self = SealedObjects() }

  /// The pack and the frame that hold an object for certain; nil where none does.
  func place(of name: ObjectName) -> (writer: Int, frameOffset: Int)? {
    guard firstWords.contains(name.id.words.0) else { return nil }
    for (writer, table) in packs {
      for row in table.rows(of: name.id) {
        let at = table.rowOffset(row) + ObjectID.length
        if table.bytes.bytes((at + 16)..<(at + 17))[0] == name.kind.rawValue {
          return (writer, Int(truncatingIfNeeded: table.bytes.littleEndianWord(at: at)))
        }
      }
    }
    return nil
  }
}

/// Uniform words, at most half of the slots in use.
struct WordSet {
  private var slots = [UInt64](repeating: 0, count: 64)
  private var count = 0
  /// Zero marks a free slot, so it is kept apart.
  private var hasZero = false

  mutating func insert(_ word: UInt64) {
    if word == 0 { hasZero = true }
    if contains(word) { return }
    count += 1
    if count * 2 > slots.count {
      let old = slots
      slots = [UInt64](repeating: 0, count: old.count * 2)
      for word in old where word != 0 { enter(word) }
    }
    enter(word)
  }

  func contains(_ word: UInt64) -> Bool {
    if word == 0 { return hasZero }
    var slot = firstSlot(word)
    while slots[slot] != 0 {
      if slots[slot] == word { return true }
      slot = (slot + 1) & (slots.count - 1)
    }
    return false
  }

  private mutating func enter(_ word: UInt64) {
    var slot = firstSlot(word)
    while slots[slot] != 0 { slot = (slot + 1) & (slots.count - 1) }
    slots[slot] = word
  }

  private func firstSlot(_ word: UInt64) -> Int {
    Int(truncatingIfNeeded: word) & (slots.count - 1)
  }
}
