import DTMFolder
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage

/// Changes a folder at random, and keeps what a watcher would tell of it.
struct RandomEdits {
  let sandbox: Sandbox
  var random: SplitMix
  /// Whether files get several names.
  var makesLinks = true
  private(set) var touched: Set<PathKey> = []
  private(set) var subtrees: Set<PathKey> = []
  private var kinds: [PathKey: FileKind] = [.root: .directory]
  /// Names that files got since the changes were taken last. What is written through one that is gone
  /// again when the changes are looked at is told by no event under the file's other names: only an
  /// audit finds it, and nothing of the kind is done here.
  private var freshLinks: Set<PathKey> = []
  /// What was done, for a failure's report.
  private(set) var log: [String] = []

  init(_ sandbox: Sandbox, _ random: SplitMix) {
    self.sandbox = sandbox
    self.random = random
  }

  mutating func takeChanges() -> (paths: [PathKey], subtrees: [PathKey]) {
    defer {
      touched = []
      subtrees = []
      freshLinks = []
    }
    return (Array(touched), Array(subtrees))
  }

  private mutating func pick(_ matches: (FileKind) -> Bool) -> PathKey? {
    let keys = kinds.filter { matches($0.value) }.keys.sorted()
    return keys.isEmpty ? nil : keys[random.below(keys.count)]
  }

  /// Something to be written, or whose metadata may be changed.
  private mutating func pickWritable(_ matches: (FileKind) -> Bool) -> PathKey? {
    pick(matches).flatMap { freshLinks.contains($0) ? nil : $0 }
  }

  private mutating func freshKey() -> PathKey? {
    guard let parent = pick({ $0 == .directory }), parent.components.count < 6 else { return nil }
    let letters = Array("abcde\u{ff}\u{1}!-".utf8)
    let name = (0...random.below(3)).map { _ in letters[random.below(letters.count)] }
    let key = parent.appending(name)
    return kinds[key] == nil ? key : nil
  }

  private mutating func bytes() -> [UInt8] {
    let lengths = [0, 5, 128, 129, 3000, 40_000, 300_000]
    let length = lengths[random.below(random.oneIn(8) ? 7 : 5)]
    return (0..<length).map { _ in UInt8(truncatingIfNeeded: random.next() % 7) }
  }

  private mutating func note(_ words: String, _ keys: PathKey...) {
    log.append(words + " " + keys.map { Quoting.path($0.path) }.joined(separator: " "))
  }

  mutating func step() throws {
    switch random.below(16) {
    case 0, 1, 2:
      guard let key = freshKey() else { return }
      try sandbox.write(key, bytes())
      kinds[key] = .file
      touched.insert(key)
    case 3, 4:
      guard let key = freshKey() else { return }
      try sandbox.directory(key)
      kinds[key] = .directory
      subtrees.insert(key)
    case 5:
      guard let key = freshKey() else { return }
      try sandbox.symlink(key, to: Array("t\(random.below(9))".utf8))
      kinds[key] = .symlink
      touched.insert(key)
    case 6:
      guard let key = freshKey() else { return }
      try sandbox.fifo(key)
      kinds[key] = .fifo
      touched.insert(key)
    case 7, 8, 9:
      guard let key = pickWritable({ $0 == .file }) else { return }
      note("write", key)
      try sandbox.write(key, bytes())
      touched.insert(key)
    case 10:
      guard let key = pickWritable({ $0 != .symlink }), !key.isRoot else { return }
      try sandbox.chmod(key, [0o600, 0o644, 0o755, 0o700][random.below(4)])
      touched.insert(key)
    case 11:
      guard let key = pickWritable({ _ in true }), !key.isRoot else { return }
      try sandbox.setTime(key, seconds: random.below(2000) - 1000, nanoseconds: random.below(999))
      touched.insert(key)
    case 12: try remove()
    case 13: try move()
    case 14: try replace()
    default:
      guard makesLinks, let old = pick({ $0 == .file }), let key = freshKey() else { return }
      note("link", old, key)
      try sandbox.link(key, from: old)
      kinds[key] = .file
      freshLinks.insert(key)
      touched.insert(key)
    }
  }

  private mutating func forget(_ key: PathKey) {
    kinds = kinds.filter { $0.key != key && !$0.key.isBeneath(key) }
    freshLinks = freshLinks.filter { $0 != key && !$0.isBeneath(key) }
  }

  private mutating func remove() throws {
    guard let key = pick({ _ in true }), !key.isRoot else { return }
    note("remove", key)
    try sandbox.remove(key)
    forget(key)
    touched.insert(key)
  }

  private mutating func move() throws {
    guard let old = pick({ _ in true }), !old.isRoot, let new = freshKey(), !new.isBeneath(old)
    else { return }
    note("move", old, new)
    try sandbox.rename(old, to: new)
    let moved = kinds.filter { $0.key == old || $0.key.isBeneath(old) }
    let movedLinks = freshLinks.filter { $0 == old || $0.isBeneath(old) }
    forget(old)
    for (key, kind) in moved {
      let there = PathKey(bytes: new.bytes + key.bytes[old.bytes.count...])
      kinds[there] = kind
      if movedLinks.contains(key) { freshLinks.insert(there) }
    }
    touched.insert(old)
    if kinds[new] == .directory { subtrees.insert(new) } else { touched.insert(new) }
  }

  /// Something of another kind takes a name.
  private mutating func replace() throws {
    guard let key = pick({ _ in true }), !key.isRoot else { return }
    note("replace", key)
    try sandbox.remove(key)
    forget(key)
    if random.oneIn(2) {
      try sandbox.directory(key)
      kinds[key] = .directory
      subtrees.insert(key)
      let inner = key.appending([UInt8(ascii: "x")])
      try sandbox.write(inner, bytes())
      kinds[inner] = .file
    } else {
      try sandbox.write(key, bytes())
      kinds[key] = .file
    }
    touched.insert(key)
  }
}
