package import DTMSystem

/// The directories of a folder that are, or should be, watched.
///
/// Directories are nodes with a parent pointer and a name, never path strings: a rename moves one
/// pointer, and what happens below is found under the new path at once. Nodes are found by watch
/// and by (parent, name). A pure value: no system calls.
package struct NodeTable: Sendable {
  private var store = NodeStore()
  private var byWatch = SlotTable(hash: NodeStore.watchHash)
  private var byName = SlotTable(hash: NodeStore.nameHash)
  private var free: [NodeIndex] = []
  private var freed: [NodeIndex] = []
  /// How many nodes carry a watch.
  package private(set) var watchedCount = 0
  /// Grows with each change of a name or a parent: what was derived from paths is stale then.
  private(set) var pathVersion: UInt64 = 0

  /// Begins with the root, pending.
  package init() {
    _ = store.append(Node(state: .pending))
  }

  // MARK: Reading

  /// How many directories there are.
  package var count: Int { store.nodes.count - free.count - freed.count }

  /// Bytes of memory in use, unused capacity included.
  package var footprint: Int {
    store.footprint + byWatch.footprint + byName.footprint
      + (free.capacity + freed.capacity) * MemoryLayout<NodeIndex>.stride
  }

  subscript(node: NodeIndex) -> Node { store[node] }

  func isAlive(_ node: NodeIndex) -> Bool {
    store.contains(node) && store[node].state != .free
  }

  func name(of node: NodeIndex) -> ArraySlice<UInt8> { store.name(of: node) }

  /// The directory that carries a watch.
  package func node(ofWatch watch: Int32) -> NodeIndex? {
    byWatch.find(NodeStore.hash(watch: watch)) { store[$0].watch == watch }
  }

  /// The subdirectory of that name.
  package func child(of parent: NodeIndex, named name: ArraySlice<UInt8>) -> NodeIndex? {
    byName.find(store.hash(parent, name)) {
      store[$0].parent == parent && store.name(of: $0).elementsEqual(name)
    }
  }

  /// The subdirectories, in no order.
  package func children(of node: NodeIndex) -> [NodeIndex] {
    var result: [NodeIndex] = []
    var child = store[node].firstChild
    while !child.isNone {
      result.append(child)
      child = store[child].next
    }
    return result
  }

  /// Whether `matches` is true for the node or a directory above it.
  func isSelfOrAncestor(of node: NodeIndex, _ matches: (NodeIndex) -> Bool) -> Bool {
    var current = node
    while !current.isNone {
      if matches(current) { return true }
      current = store[current].parent
    }
    return false
  }

  /// The directory's path; nil while it, or one above it, has no place in the tree.
  package func key(of node: NodeIndex) -> PathKey? {
    var chain: [NodeIndex] = []
    var length = 0
    var current = node
    while current != .root {
      if current.isNone || store[current].state == .free { return nil }
      chain.append(current)
      length += Int(store[current].nameLength) + 1
      current = store[current].parent
    }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(length)
    for part in chain.reversed() {
      if !bytes.isEmpty { bytes.append(0) }
      bytes += name(of: part)
    }
    return PathKey(bytes: bytes)
  }

  // MARK: Changing

  /// A new directory, pending. There must be none of that name.
  package mutating func makeChild(of parent: NodeIndex, named name: ArraySlice<UInt8>) -> NodeIndex
  {
    let node: NodeIndex
    if let reused = free.popLast() {
      node = reused
      store[node] = Node(state: .pending)
    } else {
      node = store.append(Node(state: .pending))
    }
    attach(node, to: parent, named: name)
    return node
  }

  /// Gives a detached directory a place; there must be none of that name.
  package mutating func attach(
    _ node: NodeIndex, to parent: NodeIndex, named name: ArraySlice<UInt8>
  ) {
    pathVersion += 1
    let next = store[parent].firstChild
    store.setName(node, name)
    store[node].parent = parent
    store[node].next = next
    store[parent].firstChild = node
    if !next.isNone { store[next].previous = node }
    byName.insert(node, in: store)
  }

  /// Takes a directory, with all beneath it, out of its place; it keeps its watches.
  package mutating func detach(_ node: NodeIndex) {
    let old = store[node]
    if old.parent.isNone { return }
    pathVersion += 1
    byName.remove(node, in: store)
    if old.previous.isNone {
      store[old.parent].firstChild = old.next
    } else {
      store[old.previous].next = old.next
    }
    if !old.next.isNone { store[old.next].previous = old.previous }
    store[node].parent = .none
    store[node].next = .none
    store[node].previous = .none
    store[node].nameLength = 0
    store.discardName(ofLength: old.nameLength)
  }

  /// Removes a directory and all beneath it; returns the watches that they carried.
  package mutating func remove(_ node: NodeIndex) -> [Int32] {
    precondition(node != .root, "the root is never removed")
    detach(node)
    var watches: [Int32] = []
    var stack = [node]
    while let current = stack.popLast() {
      stack += children(of: current)
      if store[current].watch >= 0 { watches.append(store[current].watch) }
      setWatch(current, -1)
      if current != node { byName.remove(current, in: store) }
      store[current].state = .free
      store.discardName(ofLength: store[current].nameLength)
      freed.append(current)
    }
    return watches
  }

  /// Lets the places of removed nodes be used again.
  package mutating func flushFreed() {
    if freed.isEmpty { return }
    free += freed
    freed.removeAll(keepingCapacity: freed.count < 1024)
  }

  /// Maps a watch to a node, or takes the node's away (-1); no other node may have it.
  package mutating func setWatch(_ node: NodeIndex, _ watch: Int32) {
    let old = store[node].watch
    if old == watch { return }
    if old >= 0 {
      byWatch.remove(node, in: store)
      watchedCount -= 1
    }
    store[node].watch = watch
    if watch >= 0 {
      byWatch.insert(node, in: store)
      watchedCount += 1
    }
  }

  mutating func setState(_ node: NodeIndex, _ state: Node.State) {
    store[node].state = state
  }

  mutating func setFlag(_ flag: Node.Flags, of node: NodeIndex, to isOn: Bool) {
    if isOn { store[node].flags.insert(flag) } else { store[node].flags.remove(flag) }
  }
}
