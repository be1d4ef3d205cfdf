import DTMSystem
import DTMTestSupport
import DTMWatch

/// A file system of the mind with inotify: what the kernel does, at once and in order, so that a
/// test can put any moment of the crawl between any two moments of a change.
struct SimulatedFolder {
  enum Thing: Equatable {
    case directory(Int)
    /// The number of the file's last change.
    case file(Int)
  }

  /// An event that a system call will raise; whether it is seen is decided when it is queued.
  struct Raised {
    let directory: Int
    let mask: NotifyMask
    var cookie: UInt32 = 0
    var name = ""
  }

  static let root = 0
  static let outside = 1
  /// By directory: what is in it.
  private(set) var content: [[String: Thing]] = [[:], [:]]
  private(set) var isRemoved = [false, false]
  /// By directory.
  private var watches: [Int: Int32] = [:]
  private var nextWatch: Int32 = 1
  private var nextCookie: UInt32 = 1
  private var changes = 0
  /// What is in the kernel's queue.
  private(set) var queue: [NotifyEvent] = []

  // MARK: The kernel's side

  mutating func raise(_ event: Raised) {
    guard let watch = watches[event.directory] else { return }
    queue.append(
      NotifyEvent(
        watch: watch, mask: event.mask, cookie: event.cookie, name: Array(event.name.utf8)[...]))
    if event.mask.contains(.ignored) { watches[event.directory] = nil }
  }

  mutating func addWatch(_ directory: Int) -> Int32 {
    if let watch = watches[directory] { return watch }
    watches[directory] = nextWatch
    nextWatch += 1
    return nextWatch - 1
  }

  mutating func removeWatch(_ watch: Int32) {
    guard let directory = watches.first(where: { $0.value == watch })?.key else { return }
    raise(Raised(directory: directory, mask: .ignored))
  }

  mutating func takeQueue(_ count: Int) -> ArraySlice<NotifyEvent> {
    defer { queue.removeFirst(count) }
    return queue.prefix(count)
  }

  /// Another instance: no watches, no events, and numbers from 1 again.
  mutating func renewInstance() {
    watches = [:]
    queue = []
    nextWatch = 1
  }

  func watch(of directory: Int) -> Int32? { watches[directory] }

  // MARK: Looking

  func thing(at key: PathKey) -> Thing? {
    var current = Thing.directory(Self.root)
    for name in key.components {
      guard case .directory(let directory) = current,
        let next = content[directory][String(decoding: name, as: UTF8.self)]
      else { return nil }
      current = next
    }
    return current
  }

  /// Everything beneath a directory of the folder.
  func walk(_ directory: Int = root, at key: PathKey = .root) -> [PathKey: Thing] {
    var result: [PathKey: Thing] = [:]
    for (name, thing) in content[directory] {
      let child = key.appending(Array(name.utf8))
      result[child] = thing
      if case .directory(let inner) = thing {
        result.merge(walk(inner, at: child)) { first, _ in first }
      }
    }
    return result
  }

  private func isBeneath(_ directory: Int, _ top: Int) -> Bool {
    if directory == top { return true }
    return content[top].values.contains {
      if case .directory(let inner) = $0 { return isBeneath(directory, inner) }
      return false
    }
  }

  // MARK: System calls

  /// Makes one change, all at once, and returns what will be told of it.
  ///
  /// The kernel holds the locks of the directories in which names change until the events about
  /// those names are queued (vfs_rename(), vfs_rmdir(), vfs_mkdir() …): others wait. Events about a
  /// removed or moved directory itself come later.
  mutating func change(_ random: inout SplitMix, locked: Set<Int>) -> Change {
    let alive = isRemoved.indices.filter { !isRemoved[$0] && !locked.contains($0) }
    if alive.isEmpty { return Change(events: [], late: [], locks: []) }
    let names = ["a", "b", "c"]
    let from = alive[random.below(alive.count)]
    let to = alive[random.below(alive.count)]
    let name = names[random.below(3)]
    let other = names[random.below(3)]
    changes += 1
    var raised: [Raised]
    switch random.below(12) {
    case 0...2: raised = makeDirectory(from, name)
    case 3...5: raised = writeFile(from, name)
    case 6: raised = remove(from, name)
    case 7...9: raised = rename(from, name, to, other)
    default: raised = exchange(from, name, to, other)
    }
    let late = raised.filter { $0.name.isEmpty }
    raised.removeAll { $0.name.isEmpty }
    return Change(
      events: raised, late: late, locks: raised.isEmpty ? [] : [from, to])
  }

  struct Change {
    let events: [Raised]
    let late: [Raised]
    let locks: Set<Int>
  }

  private mutating func makeDirectory(_ parent: Int, _ name: String) -> [Raised] {
    guard content[parent][name] == nil, content.count < 14 else { return [] }
    content.append([:])
    isRemoved.append(false)
    content[parent][name] = .directory(content.count - 1)
    return [Raised(directory: parent, mask: [.create, .isDirectory], name: name)]
  }

  private mutating func writeFile(_ parent: Int, _ name: String) -> [Raised] {
    if case .directory = content[parent][name] { return [] }
    let isNew = content[parent][name] == nil
    content[parent][name] = .file(changes)
    let masks: [NotifyMask] = isNew ? [.create, .modify, .closeWrite] : [.modify, .closeWrite]
    return masks.map { Raised(directory: parent, mask: $0, name: name) }
  }

  private mutating func remove(_ parent: Int, _ name: String) -> [Raised] {
    switch content[parent][name] {
    case nil: return []
    case .file:
      content[parent][name] = nil
      return [Raised(directory: parent, mask: .delete, name: name)]
    case .directory(let inner):
      guard content[inner].isEmpty else { return [] }
      content[parent][name] = nil
      return end(inner) + [
        Raised(directory: parent, mask: [.delete, .isDirectory], name: name)
      ]
    }
  }

  private mutating func end(_ directory: Int) -> [Raised] {
    isRemoved[directory] = true
    return [
      Raised(directory: directory, mask: .deleteSelf), Raised(directory: directory, mask: .ignored),
    ]
  }

  private mutating func rename(
    _ from: Int, _ name: String, _ to: Int, _ other: String
  ) -> [Raised] {
    guard let thing = content[from][name], from != to || name != other else { return [] }
    var replaced: [Raised] = []
    switch (thing, content[to][other]) {
    case (.directory(let moved), let target):
      if isBeneath(to, moved) { return [] }
      if case .file = target { return [] }
      if case .directory(let former) = target {
        guard content[former].isEmpty, former != moved else { return [] }
        replaced = end(former)
      }
    case (.file, .directory): return []
    case (.file, _): break
    }
    content[from][name] = nil
    content[to][other] = thing
    return moved(thing, from, name, to, other) + replaced
  }

  private mutating func exchange(
    _ from: Int, _ name: String, _ to: Int, _ other: String
  ) -> [Raised] {
    guard let first = content[from][name], let second = content[to][other], first != second else {
      return []
    }
    if case .directory(let inner) = first, isBeneath(to, inner) { return [] }
    if case .directory(let inner) = second, isBeneath(from, inner) { return [] }
    content[from][name] = second
    content[to][other] = first
    return moved(first, from, name, to, other) + moved(second, to, other, from, name)
  }

  private mutating func moved(
    _ thing: Thing, _ from: Int, _ name: String, _ to: Int, _ other: String
  ) -> [Raised] {
    var mask: NotifyMask = []
    var own: [Raised] = []
    if case .directory(let inner) = thing {
      mask = .isDirectory
      own = [Raised(directory: inner, mask: .moveSelf)]
    }
    let cookie = nextCookie
    nextCookie += 1
    return [
      Raised(directory: from, mask: mask.union(.movedFrom), cookie: cookie, name: name),
      Raised(directory: to, mask: mask.union(.movedTo), cookie: cookie, name: other),
    ] + own
  }
}
