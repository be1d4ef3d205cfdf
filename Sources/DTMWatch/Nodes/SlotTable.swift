/// A hash table of node places: open addressing, linear probing, four bytes a slot.
///
/// It holds no keys: the hash of a node comes from the store, and must be the same from its
/// insertion to its removal. At most three quarters of the slots are in use.
struct SlotTable: Sendable {
  typealias Hash = @Sendable (NodeStore, NodeIndex) -> UInt64

  private var slots: [Int32] = Array(repeating: -1, count: 16)
  private var count = 0
  private let hash: Hash

  init(hash: @escaping Hash) {
    self.hash = hash
  }

  /// Bytes of memory in use.
  var footprint: Int { slots.capacity * MemoryLayout<Int32>.stride }

  private var mask: Int { slots.count - 1 }

  /// The node with this hash for which `matches` is true.
  func find(_ hash: UInt64, where matches: (NodeIndex) -> Bool) -> NodeIndex? {
    var position = Int(truncatingIfNeeded: hash) & mask
    while slots[position] >= 0 {
      let node = NodeIndex(rawValue: slots[position])
      if matches(node) { return node }
      position = (position + 1) & mask
    }
    return nil
  }

  /// Puts in a node that is not inside.
  mutating func insert(_ node: NodeIndex, in store: NodeStore) {
    if (count + 1) * 4 > slots.count * 3 { grow(store) }
    place(node, store)
    count += 1
  }

  /// Takes a node out; nothing happens when it is not inside.
  mutating func remove(_ node: NodeIndex, in store: NodeStore) {
    var hole = home(node, store)
    while slots[hole] != node.rawValue {
      if slots[hole] < 0 { return }
      hole = (hole + 1) & mask
    }
    // Backward shift: what probing pushed past the hole moves into it.
    var next = (hole + 1) & mask
    while slots[next] >= 0 {
      let distance = (next - home(NodeIndex(rawValue: slots[next]), store)) & mask
      if distance >= (next - hole) & mask {
        slots[hole] = slots[next]
        hole = next
      }
      next = (next + 1) & mask
    }
    slots[hole] = -1
    count -= 1
  }

  private func home(_ node: NodeIndex, _ store: NodeStore) -> Int {
    Int(truncatingIfNeeded: hash(store, node)) & mask
  }

  private mutating func place(_ node: NodeIndex, _ store: NodeStore) {
    var position = home(node, store)
    while slots[position] >= 0 { position = (position + 1) & mask }
    slots[position] = node.rawValue
  }

  private mutating func grow(_ store: NodeStore) {
    let old = slots
    slots = Array(repeating: -1, count: old.count * 2)
    for value in old where value >= 0 { place(NodeIndex(rawValue: value), store) }
  }
}
