internal import SystemPackage

/// A simulated file system: nodes, names, and the changes of names that no directory
/// synchronisation has made durable yet.
struct SimulatedDisk {
  enum Node {
    case file(SimulatedContent, mode: UInt32)
    case directory
  }

  /// A name in a directory, given by the directory's number.
  struct Place: Hashable {
    let directory: Int
    let name: String
  }

  /// A change of names that happens whole or not at all: create and link set one name, unlink
  /// clears one, rename does both.
  struct NameChange {
    var effects: [Place: Int?]
  }

  static let root = 0

  private(set) var nodes: [Int: Node] = [Self.root: .directory]
  /// What the running system sees.
  private(set) var names: [Place: Int] = [:]
  private(set) var durableNames: [Place: Int] = [:]
  private(set) var pendingNames: [NameChange] = []
  private var nextNode = 1

  // MARK: Looking

  func directory(_ path: some StringProtocol) throws(Errno) -> Int {
    var node = Self.root
    for part in path.split(separator: "/") {
      guard let next = names[Place(directory: node, name: String(part))] else {
        throw .noSuchFileOrDirectory
      }
      guard case .directory = nodes[next] else { throw .notDirectory }
      node = next
    }
    return node
  }

  func place(_ path: String) throws(Errno) -> Place {
    guard let cut = path.lastIndex(of: "/") else { return Place(directory: Self.root, name: path) }
    return Place(
      directory: try directory(path[..<cut]), name: String(path[path.index(after: cut)...]))
  }

  func node(_ path: String) throws(Errno) -> Int {
    guard let node = names[try place(path)] else { throw .noSuchFileOrDirectory }
    return node
  }

  func file(_ path: String) throws(Errno) -> Int {
    let node = try node(path)
    guard case .file = nodes[node] else { throw .isDirectory }
    return node
  }

  func list(_ path: String) throws(Errno) -> [String] {
    let directory = try directory(path)
    return names.keys.filter { $0.directory == directory }.map(\.name)
  }

  func links(_ node: Int) -> Int { names.values.count { $0 == node } }

  func content(_ node: Int) -> SimulatedContent {
    guard case .file(let content, _) = nodes[node] else { return SimulatedContent() }
    return content
  }

  // MARK: Changing

  mutating func changeContent<Result>(
    _ node: Int, _ body: (inout SimulatedContent) -> Result
  ) -> Result {
    guard case .file(var content, let mode) = nodes[node] else {
      preconditionFailure("a node of an open file is a file")
    }
    nodes[node] = nil
    defer { nodes[node] = .file(content, mode: mode) }
    return body(&content)
  }

  mutating func setMode(_ node: Int, _ mode: UInt32) {
    if case .file(let content, _) = nodes[node] { nodes[node] = .file(content, mode: mode) }
  }

  /// A file without a name.
  mutating func makeFile(mode: UInt32) -> Int {
    makeNode(.file(SimulatedContent(), mode: mode))
  }

  private mutating func makeNode(_ node: Node) -> Int {
    defer { nextNode += 1 }
    nodes[nextNode] = node
    return nextNode
  }

  mutating func link(_ node: Int, as path: String) throws(Errno) {
    let place = try place(path)
    if names[place] != nil { throw .fileExists }
    change([place: node])
  }

  mutating func makeDirectory(_ path: String) throws(Errno) {
    let place = try place(path)
    if names[place] != nil { throw .fileExists }
    change([place: makeNode(.directory)])
  }

  mutating func rename(_ path: String, to target: String) throws(Errno) {
    let node = try node(path)
    let (from, to) = (try place(path), try place(target))
    if names[to] == node { return }
    if let replaced = names[to], case .directory = nodes[replaced] { throw .isDirectory }
    change([from: nil, to: node])
  }

  mutating func remove(_ path: String) throws(Errno) {
    _ = try file(path)
    change([try place(path): nil])
  }

  private mutating func change(_ effects: [Place: Int?]) {
    for (place, node) in effects { names[place] = node }
    pendingNames.append(NameChange(effects: effects))
  }

  /// Makes every pending change that concerns the directory durable; a rename whole, as journalling
  /// file systems do, even where its other directory is not synchronised.
  mutating func synchronizeDirectory(_ path: String) throws(Errno) {
    let directory = try directory(path)
    var rest: [NameChange] = []
    for change in pendingNames {
      if change.effects.keys.contains(where: { $0.directory == directory }) {
        for (place, node) in change.effects {
          durableNames[place] = node
          // An older change of the same name must not come after this one any more.
          for index in rest.indices { rest[index].effects[place] = nil }
        }
      } else {
        rest.append(change)
      }
    }
    pendingNames = rest.filter { !$0.effects.isEmpty }
  }

  // MARK: Crashing

  /// The names when of the pending changes those in `kept` came to the disk.
  func namesAfterCrash(_ kept: (Int) -> Bool) -> [Place: Int] {
    var result = durableNames
    for (index, change) in pendingNames.enumerated() where kept(index) {
      for (place, node) in change.effects { result[place] = node }
    }
    return result
  }

  /// The files that have a name reachable from the root, each once, in ascending order.
  func files(reachableBy names: [Place: Int]) -> [Int] {
    var children: [Int: [Int]] = [:]
    for (place, node) in names { children[place.directory, default: []].append(node) }
    var result: Set<Int> = []
    var queue = [Self.root]
    while let directory = queue.popLast() {
      for node in children[directory] ?? [] {
        if case .directory = nodes[node] { queue.append(node) } else { result.insert(node) }
      }
    }
    return result.sorted()
  }

  /// The disk after a crash that left these names and contents.
  func crashed(names: [Place: Int], contents: [Int: [UInt8]]) -> SimulatedDisk {
    var result = self
    result.names = names
    result.durableNames = names
    result.pendingNames = []
    for (node, kind) in nodes {
      guard case .file(_, let mode) = kind else { continue }
      if let bytes = contents[node] {
        result.nodes[node] = .file(SimulatedContent(settled: bytes), mode: mode)
      } else {
        result.nodes[node] = nil
      }
    }
    return result
  }

  /// Every path (directories with a `/` at the end) and its content now, for comparing disks.
  func paths() -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    var queue = [(Self.root, "")]
    while let (directory, prefix) = queue.popLast() {
      for (place, node) in names where place.directory == directory {
        switch nodes[node] {
        case .directory:
          result[prefix + place.name + "/"] = []
          queue.append((node, prefix + place.name + "/"))
        case .file(let content, _): result[prefix + place.name] = content.bytes
        case nil: break
        }
      }
    }
    return result
  }
}
