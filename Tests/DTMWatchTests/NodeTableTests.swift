import DTMSystem
import DTMTestSupport
import DTMWatch
import Testing

@Suite struct NodeTableTests {
  /// A directory of the model.
  private struct Entry {
    var parent: NodeIndex
    var name: [UInt8]
    var watch: Int32
  }

  @Test func `the table equals a dictionary after any changes`() throws {
    var random = SplitMix.fresh("node table")
    var table = NodeTable()
    var model: [NodeIndex: Entry] = [:]
    var nextWatch: Int32 = 1
    func isBeneath(_ node: NodeIndex, _ top: NodeIndex) -> Bool {
      var current = node
      while current != .root, current != top { current = model[current]!.parent }
      return current == top
    }
    for step in 0..<20_000 {
      let nodes = Array(model.keys).sorted { $0.rawValue < $1.rawValue }
      func pick() -> NodeIndex {
        nodes.isEmpty || random.oneIn(10) ? .root : nodes[random.below(nodes.count)]
      }
      let name = (0...random.below(40)).map { _ in UInt8(1 + random.below(3)) }
      switch random.below(nodes.count > 400 ? 8 : 5) {
      case 0...2:
        let parent = pick()
        if table.child(of: parent, named: name[...]) != nil { continue }
        let node = table.makeChild(of: parent, named: name[...])
        table.setWatch(node, nextWatch)
        #expect(model[node] == nil)
        model[node] = Entry(parent: parent, name: name, watch: nextWatch)
        nextWatch += 1
      case 3...4:
        let node = pick()
        let parent = pick()
        if node == .root || isBeneath(parent, node) { continue }
        if table.child(of: parent, named: name[...]) != nil { continue }
        table.detach(node)
        #expect(table.key(of: node) == nil)
        table.attach(node, to: parent, named: name[...])
        model[node]?.parent = parent
        model[node]?.name = name
      default:
        let node = pick()
        if node == .root { continue }
        let gone = nodes.filter { isBeneath($0, node) }
        #expect(Set(table.remove(node)) == Set(gone.map { model[$0]!.watch }))
        for one in gone { model[one] = nil }
        if random.oneIn(3) { table.flushFreed() }
      }
      guard step % 200 == 0 else { continue }
      #expect(table.count == model.count + 1)
      #expect(table.watchedCount == model.count)
      for (node, entry) in model {
        #expect(table.node(ofWatch: entry.watch) == node)
        #expect(table.child(of: entry.parent, named: entry.name[...]) == node)
        #expect(table.children(of: entry.parent).contains(node))
        let parent = table.key(of: entry.parent)
        #expect(table.key(of: node) == parent?.appending(entry.name))
      }
      #expect(table.node(ofWatch: nextWatch) == nil)
    }
  }

  @Test func `a directory takes at most 250 bytes`() {
    for count in [1_000, 16_000, 33_000, 100_000] {
      var table = NodeTable()
      var parent = NodeIndex.root
      for index in 0..<count {
        if index % 100 == 0 {
          parent = table.makeChild(of: .root, named: Array("directory-\(index)".utf8)[...])
          table.setWatch(parent, Int32(index + 1))
        } else {
          let node = table.makeChild(of: parent, named: Array("part=2026-11-\(index)".utf8)[...])
          table.setWatch(node, Int32(index + 1))
        }
      }
      let bytes = table.footprint / count
      print("\(count) directories: \(bytes) bytes each")
      #expect(bytes <= 250)
    }
  }

  @Test func `names that were given up are compacted`() {
    var table = NodeTable()
    let node = table.makeChild(of: .root, named: [1])
    for index in 0..<100_000 {
      table.detach(node)
      table.attach(node, to: .root, named: Array("name-\(index)".utf8)[...])
    }
    #expect(table.key(of: node) == PathKey("name-99999"))
    #expect(table.footprint < 400_000)
  }
}
