internal import DTMSystem

/// The nodes by place, and their names in one arena.
struct NodeStore: Sendable {
  private(set) var nodes: [Node] = []
  private var names: [UInt8] = []
  private var unusedNameBytes = 0

  /// Names are chosen by whoever writes into the folder: the hash must not be foreseeable.
  private let seed = UInt64(bitPattern: Int64(0.hashValue)) | 1

  /// Below this, unused names are not worth a copy of the arena.
  private static let compactionThreshold = 64 * 1024

  /// Bytes of memory in use, unused capacity included.
  var footprint: Int { nodes.capacity * MemoryLayout<Node>.stride + names.capacity }

  subscript(node: NodeIndex) -> Node {
    get { nodes[Int(node.rawValue)] }
    _modify { yield &nodes[Int(node.rawValue)] }
  }

  func contains(_ node: NodeIndex) -> Bool { nodes.indices.contains(Int(node.rawValue)) }

  func name(of node: NodeIndex) -> ArraySlice<UInt8> {
    let start = Int(self[node].nameOffset)
    return names[start..<(start + Int(self[node].nameLength))]
  }

  /// Appends a place.
  mutating func append(_ node: Node) -> NodeIndex {
    nodes.append(node)
    return NodeIndex(rawValue: Int32(nodes.count - 1))
  }

  mutating func setName(_ node: NodeIndex, _ name: ArraySlice<UInt8>) {
    precondition(!name.isEmpty && name.count <= 255, "a name has 1 to 255 bytes")
    self[node].nameOffset = UInt32(names.count)
    self[node].nameLength = UInt8(name.count)
    names += name
  }

  /// The bytes of a name that was given up; the arena is compacted when half of it is such.
  mutating func discardName(ofLength length: UInt8) {
    unusedNameBytes += Int(length)
    guard unusedNameBytes > Self.compactionThreshold, unusedNameBytes * 2 > names.count else {
      return
    }
    var compacted: [UInt8] = []
    compacted.reserveCapacity(names.count - unusedNameBytes)
    for index in nodes.indices where nodes[index].state != .free {
      let name = name(of: NodeIndex(rawValue: Int32(index)))
      nodes[index].nameOffset = UInt32(compacted.count)
      compacted += name
    }
    names = compacted
    unusedNameBytes = 0
  }

  // MARK: Hashes

  static func watchHash(_ store: NodeStore, _ node: NodeIndex) -> UInt64 {
    hash(watch: store[node].watch)
  }

  static func nameHash(_ store: NodeStore, _ node: NodeIndex) -> UInt64 {
    store.hash(store[node].parent, store.name(of: node))
  }

  static func hash(watch: Int32) -> UInt64 {
    // Watches are numbered in a row: any odd multiplier spreads them. Fibonacci hashing.
    (UInt64(UInt32(bitPattern: watch)) &* 0x9E37_79B9_7F4A_7C15) >> 24
  }

  /// FNV-1a from a random start, with the finalizer of MurmurHash3.
  func hash(_ parent: NodeIndex, _ name: ArraySlice<UInt8>) -> UInt64 {
    var hash = seed ^ (UInt64(UInt32(bitPattern: parent.rawValue)) &* 0x9E37_79B9_7F4A_7C15)
    for byte in name { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3 }
    hash = (hash ^ (hash >> 33)) &* 0xFF51_AFD7_ED55_8CCD
    return hash ^ (hash >> 33)
  }
}
