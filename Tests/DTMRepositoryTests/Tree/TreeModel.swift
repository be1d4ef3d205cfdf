import DTMRepository
import DTMSystem
import DTMTestSupport

/// A tree as a dictionary: what the real one is held against.
struct TreeModel {
  var entries: [PathKey: TreeEntry] = [:]

  var sortedKeys: [PathKey] { entries.keys.sorted() }
  var sorted: [TreeEntry] { sortedKeys.compactMap { entries[$0] } }

  /// Whether each entry is in a directory.
  var isWhole: Bool {
    entries.values.allSatisfy { entry in
      guard let parent = entry.key.parent else { return entry.kind == .directory }
      return entries[parent]?.kind == .directory
    }
  }

  func applying(_ batch: TreeBatch) -> TreeModel {
    var result = self
    if !batch.removedSubtrees.isEmpty {
      let gone = Set(batch.removedSubtrees)
      for key in entries.keys {
        var ancestor: PathKey? = key
        while let current = ancestor {
          if gone.contains(current) { result.entries[key] = nil }
          ancestor = current.parent
        }
      }
    }
    for key in batch.removed { result.entries[key] = nil }
    for entry in batch.entries { result.entries[entry.key] = entry }
    return result
  }

  func tree(_ writer: any ObjectWriter) throws -> Tree {
    var builder = TreeBuilder(writer: writer)
    for entry in sorted { try builder.append(entry) }
    return try builder.finish()
  }

  func differences(from old: TreeModel) -> [TreeDifference] {
    Set(entries.keys).union(old.entries.keys).sorted().compactMap { key in
      old.entries[key] == entries[key]
        ? nil : TreeDifference(old: old.entries[key], new: entries[key])
    }
  }
}

/// Makes random trees and batches.
struct TreeGenerator {
  /// What the keys are like.
  enum Shape: CaseIterable {
    /// One directory, short names of all bytes.
    case flat
    /// Directories in directories, short names.
    case nested
    /// Keys that fill a page by their bytes.
    case long
    /// Keys of thousands of bytes, some of the longest kind: a page may hold one.
    case longest
  }

  let shape: Shape
  var random: SplitMix

  mutating func name() -> [UInt8] {
    let length =
      switch shape {
      case .flat: 1 + random.below(6)
      case .nested: 1 + random.below(3)
      case .long: 1 + random.below(3) * 300
      case .longest: random.oneIn(6) ? 20_000 + random.below(20_000) : 1 + random.below(4_000)
      }
    // Few different bytes at the front make neighbours and long common prefixes.
    var name = [UInt8](repeating: UInt8(ascii: "n"), count: length)
    for _ in 0..<3 { name[random.below(length)] = byte() }
    name[length - 1] = byte()
    if length < 3 && name.allSatisfy({ $0 == UInt8(ascii: ".") }) { name[0] = 1 }
    return name
  }

  private mutating func byte() -> UInt8 {
    let byte = UInt8(1 + random.below(255))
    return byte == UInt8(ascii: "/") ? 255 : byte
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    (0..<count).map { _ in UInt8(random.below(256)) }
  }

  mutating func id() -> ObjectID {
    ObjectID(words: (random.next(), random.next(), random.next(), random.next()))
  }

  mutating func entry(_ key: PathKey) -> TreeEntry {
    let isDirectory = key.isRoot || random.oneIn(shape == .flat ? 40 : 5)
    var entry = TreeEntry(
      key: key, kind: isDirectory ? .directory : .file,
      permissions: UInt32(random.below(0o10000)),
      owner: Owner(id: UInt32(random.below(3)), name: random.oneIn(9) ? [] : Array("ann".utf8)),
      group: Owner(id: UInt32(random.oneIn(5) ? random.below(100) : 7)),
      modified: FileTime(
        seconds: Int64(random.below(1 << 33)) - 1 << 32,
        nanoseconds: UInt32(random.below(1_000_000_000))),
      isHot: random.oneIn(30))
    if !isDirectory { setContent(&entry) }
    if random.oneIn(20) { entry.inodeFlags = [16, 64, 80][random.below(3)] }
    if random.oneIn(20) { entry.attributes = .inline(bytes(1 + random.below(127))) }
    if random.oneIn(40) { entry.attributes = .object(id()) }
    if random.oneIn(40) && !isDirectory { entry.linkGroup = key }
    return entry
  }

  private mutating func setContent(_ entry: inout TreeEntry) {
    switch random.below(12) {
    case 0: (entry.kind, entry.content) = (.fifo, .none)
    case 1: (entry.kind, entry.content) = (.socket, .none)
    case 2:
      entry.kind = random.oneIn(2) ? .blockDevice : .characterDevice
      entry.content = .device(major: UInt32(random.below(1 << 32)), minor: 3)
    case 3:
      entry.size = UInt64(1 + random.below(300))
      (entry.kind, entry.content) = (.symlink, .target(bytes(Int(entry.size))))
    case 4...6:
      entry.size = UInt64(129 + random.below(1 << 40))
      entry.content = .chunk(id())
    case 7, 8:
      entry.size = UInt64(1 + random.below(1 << 40))
      entry.content = .list(id())
      entry.isSparse = random.oneIn(2)
    default:
      entry.size = UInt64(random.below(129))
      entry.content = .inline(bytes(Int(entry.size)))
    }
  }

  mutating func model(_ count: Int) -> TreeModel {
    var model = TreeModel()
    model.entries[.root] = entry(.root)
    var directories: [PathKey] = [.root]
    for _ in 0..<count {
      let parent =
        shape == .flat || random.oneIn(4) ? .root : directories[random.below(directories.count)]
      guard let key = child(of: parent) else { continue }
      let entry = entry(key)
      if model.entries[key] == nil && entry.kind == .directory { directories.append(key) }
      if model.entries[key]?.kind != .directory { model.entries[key] = entry }
    }
    return model
  }

  /// Nil where the key would be longer than keys may be.
  private mutating func child(of parent: PathKey) -> PathKey? {
    let key = parent.appending(name())
    if key.bytes.count <= 65_535 { return key }
    // The longest key that there is.
    let left = 65_535 - parent.bytes.count - 1
    guard left > 0, !parent.isRoot else { return nil }
    var name = [UInt8](repeating: UInt8(ascii: "z"), count: left)
    name[left - 1] = byte()
    return parent.appending(name)
  }

  /// The entry with one thing changed.
  private mutating func touched(_ old: TreeEntry) -> TreeEntry {
    var entry = old
    switch random.below(5) {
    case 0: entry.owner = Owner(id: old.owner.id, name: bytes(3))
    case 1: entry.group = Owner(id: old.group.id ^ 1, name: old.group.name)
    case 2: entry.permissions ^= 0o111
    case 3: entry.modified.nanoseconds = UInt32(random.below(1_000_000_000))
    default: entry.isHot.toggle()
    }
    return entry
  }

  /// A batch, of which some leave an entry without its directory.
  mutating func batch(_ model: TreeModel) -> TreeBatch {
    let keys = model.sortedKeys
    var batch = TreeBatch()
    guard !keys.isEmpty else {
      batch.entries = [entry(.root)]
      return batch
    }
    let directories = keys.filter { model.entries[$0]?.kind == .directory }
    let count = random.oneIn(6) ? 1 + random.below(120) : 1 + random.below(6)
    // All over the tree, or neighbours.
    let start = random.below(keys.count)
    let width = random.oneIn(2) ? keys.count : min(keys.count, 5 + random.below(60))
    for _ in 0..<count {
      let key = keys[(start + random.below(width)) % keys.count]
      switch random.below(10) {
      case 0...3:
        // To change what a directory is mostly orphans entries: rarely.
        guard let old = model.entries[key] else { continue }
        let isNew = random.oneIn(old.kind == .directory ? 10 : 2)
        batch.entries.append(isNew ? entry(key) : touched(old))
      case 4...7:
        let near = key.parent.flatMap { model.entries[$0] == nil ? nil : $0 } ?? .root
        let parent = random.oneIn(2) ? near : directories[random.below(directories.count)]
        if let key = child(of: parent), model.entries[key]?.kind != .directory {
          batch.entries.append(entry(key))
        }
      default:
        if model.entries[key]?.kind != .directory || random.oneIn(20) { batch.removed.append(key) }
      }
    }
    if random.oneIn(3) {
      let directory = directories[random.below(directories.count)]
      if !directory.isRoot || random.oneIn(10) {
        batch.removedSubtrees.append(directory)
        if random.oneIn(3) { batch.entries.append(entry(directory)) }
      }
    }
    if random.oneIn(20) { batch.removed.append(PathKey(bytes: name())) }
    if random.oneIn(25) {
      // A whole stretch goes, one by one.
      batch.removed += (0..<min(keys.count, 400)).map { keys[(start + $0) % keys.count] }
    }
    return batch
  }
}

/// Objects in memory that count what is asked of them.
final class CountedPages: ObjectWriter {
  private let objects: MemoryObjects
  private(set) var reads = 0
  private(set) var writes = 0
  private(set) var written: Set<ObjectID> = []

  func forgetCounts() { (reads, writes, written) = (0, 0, []) }

  init(over base: (any ObjectReader)? = nil) {
    objects = MemoryObjects(over: base)
  }

  func read(_ id: ObjectID, _ kind: ObjectKind) throws(RepositoryError) -> [UInt8] {
    reads += 1
    return try objects.read(id, kind)
  }

  func write(_ kind: ObjectKind, _ bytes: [UInt8]) throws(RepositoryError) -> ObjectID {
    writes += 1
    let id = try objects.write(kind, bytes)
    written.insert(id)
    return id
  }
}

extension Tree {
  /// All entries, as an array.
  func entries(beneath: PathKey? = nil, from: PathKey? = nil) throws -> [TreeEntry] {
    var result: [TreeEntry] = []
    try forEach(beneath: beneath, from: from) { entry throws(RepositoryError) in
      result.append(entry)
      return true
    }
    return result
  }

  func differences(from other: Tree, beneath: PathKey? = nil) throws -> [TreeDifference] {
    var result: [TreeDifference] = []
    try forEachDifference(from: other, beneath: beneath) { difference throws(RepositoryError) in
      result.append(difference)
      return true
    }
    return result
  }
}
