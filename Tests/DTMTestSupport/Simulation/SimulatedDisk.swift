internal import SystemPackage

/// A simulated file system: nodes, names, and the changes of names that no directory
/// synchronisation has made durable yet.
struct SimulatedDisk {
  enum Node {
    case file(SimulatedContent, modes: SimulatedModes)
    case directory
  }

  /// A name in a directory, given by the directory's number.
  struct Place: Hashable {
    let directory: Int
    let name: String
  }

  /// A change of names that no directory synchronisation has made durable yet: create and link set
  /// one name, unlink clears one, rename sets one and clears another.
  ///
  /// A rename never loses the file, but where directories are written one by one (ext4 without a
  /// journal) the new name may come to the disk before the old one goes.
  struct NameChange {
    var set: (place: Place, node: Int)?
    var cleared: Place?

    /// How many of its parts came to the disk: 0, 1 or, for a rename, 2.
    var parts: Int { (set == nil ? 0 : 1) + (cleared == nil ? 0 : 1) }

    func apply(parts: Int, to names: inout [Place: Int]) {
      if parts == 0 { return }
      if let set {
        names[set.place] = set.node
        if parts == 1 { return }
      }
      if let cleared { names[cleared] = nil }
    }
  }

  static let root = 0

  private(set) var nodes: [Int: Node] = [Self.root: .directory]
  /// What the running system sees.
  private(set) var names: [Place: Int] = [:]
  private(set) var durableNames: [Place: Int] = [:]
  private(set) var pendingNames: [NameChange] = []
  /// Grows with every change: two instants with the same number are one.
  private(set) var version = 0
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
    guard case .file(var content, let modes) = nodes[node] else {
      preconditionFailure("a node of an open file is a file")
    }
    nodes[node] = nil
    version += 1
    defer { nodes[node] = .file(content, modes: modes) }
    return body(&content)
  }

  mutating func setMode(_ node: Int, _ mode: UInt32) {
    guard case .file(let content, var modes) = nodes[node] else { return }
    version += 1
    modes.set(mode)
    nodes[node] = .file(content, modes: modes)
  }

  func mode(_ node: Int) -> UInt32 {
    guard case .file(_, let modes) = nodes[node] else { return 0 }
    return modes.now
  }

  /// Whether a file's owner, who is not root, may open it.
  func mayOpen(_ node: Int, writable: Bool) -> Bool {
    let needed: UInt32 = writable ? 0o600 : 0o400
    return mode(node) & needed == needed
  }

  /// A file without a name.
  mutating func makeFile(mode: UInt32) -> Int {
    makeNode(.file(SimulatedContent(), modes: SimulatedModes(mode)))
  }

  private mutating func makeNode(_ node: Node) -> Int {
    defer { nextNode += 1 }
    nodes[nextNode] = node
    return nextNode
  }

  mutating func link(_ node: Int, as path: String) throws(Errno) {
    let place = try place(path)
    if names[place] != nil { throw .fileExists }
    change(NameChange(set: (place, node)))
  }

  mutating func makeDirectory(_ path: String) throws(Errno) {
    let place = try place(path)
    if names[place] != nil { throw .fileExists }
    change(NameChange(set: (place, makeNode(.directory))))
  }

  mutating func rename(_ path: String, to target: String) throws(Errno) {
    let node = try node(path)
    let (from, to) = (try place(path), try place(target))
    if names[to] == node { return }
    if let replaced = names[to], case .directory = nodes[replaced] { throw .isDirectory }
    change(NameChange(set: (to, node), cleared: from))
  }

  mutating func remove(_ path: String) throws(Errno) {
    _ = try file(path)
    change(NameChange(cleared: try place(path)))
  }

  private mutating func change(_ change: NameChange) {
    version += 1
    change.apply(parts: 2, to: &names)
    pendingNames.append(change)
  }

  /// Makes every pending change of a name in the directory durable. Of a rename out of it the new
  /// name becomes durable too, for the file would be lost otherwise; of a rename into it the old
  /// name, in another directory, stays pending.
  mutating func synchronizeDirectory(_ path: String) throws(Errno) {
    let directory = try directory(path)
    version += 1
    var rest: [NameChange] = []
    for change in pendingNames {
      let isSet = change.set?.place.directory == directory
      let isCleared = change.cleared?.directory == directory
      if !isSet && !isCleared {
        rest.append(change)
        continue
      }
      let parts = isCleared ? 2 : 1
      change.apply(parts: parts, to: &durableNames)
      // An older change of the same name must not come after this one any more.
      for index in rest.indices {
        if let place = change.set?.place { rest[index].forget(place) }
        if parts == 2, let place = change.cleared { rest[index].forget(place) }
      }
      if !isCleared, let cleared = change.cleared { rest.append(NameChange(cleared: cleared)) }
    }
    pendingNames = rest.filter { $0.parts > 0 }
  }

  // MARK: Crashing

  /// The names when of each pending change so many parts came to the disk.
  func namesAfterCrash(_ parts: (Int) -> Int) -> [Place: Int] {
    var result = durableNames
    for (index, change) in pendingNames.enumerated() {
      change.apply(parts: parts(index), to: &result)
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

  /// The disk after a crash that left these names, contents and, of pending modes, these.
  func crashed(
    names: [Place: Int], contents: [Int: [UInt8]], modes: (SimulatedModes) -> UInt32
  ) -> SimulatedDisk {
    var result = self
    result.names = names
    result.durableNames = names
    result.pendingNames = []
    // In order, so that a seed draws the same modes each time.
    for node in nodes.keys.sorted() {
      guard case .file(let content, let pending) = nodes[node] else { continue }
      guard let bytes = contents[node] else {
        result.nodes[node] = nil
        continue
      }
      if content.isSettled && pending.isSettled { continue }
      result.nodes[node] = .file(
        SimulatedContent(settled: bytes), modes: SimulatedModes(modes(pending)))
    }
    return result
  }

  /// Calls `body` with every path (directories with a `/` at the end) and its node.
  func forEachPath(_ body: (String, Int) -> Void) {
    var children: [Int: [(name: String, node: Int)]] = [:]
    for (place, node) in names { children[place.directory, default: []].append((place.name, node)) }
    var queue = [(Self.root, "")]
    while let (directory, prefix) = queue.popLast() {
      for (name, node) in children[directory] ?? [] {
        switch nodes[node] {
        case .directory:
          body(prefix + name + "/", node)
          queue.append((node, prefix + name + "/"))
        case .file: body(prefix + name, node)
        case nil: break
        }
      }
    }
  }

  /// Every path and its content now, for comparing disks.
  func paths() -> [String: [UInt8]] {
    var result: [String: [UInt8]] = [:]
    forEachPath { path, node in result[path] = content(node).bytes }
    return result
  }
}

extension SimulatedDisk.NameChange {
  /// Drops the part that concerns a name.
  fileprivate mutating func forget(_ place: SimulatedDisk.Place) {
    if set?.place == place { set = nil }
    if cleared == place { cleared = nil }
  }
}

/// A file's permission bits: those now, and those that a disk may hold instead.
///
/// fdatasync(2) writes no mode, so that a change stays pending: one was made, and may be lost.
struct SimulatedModes {
  private(set) var now: UInt32
  private var former: UInt32?

  init(_ mode: UInt32) { now = mode }

  var isSettled: Bool { former == nil }
  /// The mode when the last change did not come to the disk.
  var old: UInt32 { former ?? now }

  mutating func set(_ mode: UInt32) {
    if mode == now { return }
    former = old
    now = mode
  }
}
