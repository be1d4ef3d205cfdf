package import DTMRepository
package import DTMSystem

/// Turns the differences between a folder as it is and as it is wanted into a plan; touches nothing.
package struct RestorePlanner {
  /// Linux's limit for a name.
  private static let longestName = 255

  /// Files from this size on are worth being written in place.
  private static let smallestInPlace: UInt64 = 1 << 20

  /// Keeps what was added since.
  let keepsAdded: Bool
  /// Writes into large files what differs, instead of building them beside.
  let isInPlace: Bool
  /// How many names the file at a key has now; 0 where it is gone.
  let linkCount: (PathKey) -> Int
  /// What is at a key now.
  let present: (PathKey) throws(FolderError) -> TreeEntry?
  /// What a directory that stays is to be; nil where nobody asked for that.
  let wanted: (PathKey) throws(FolderError) -> TreeEntry?

  private var items: [RestorePlan.Item] = []
  private var settlings: [PathKey: RestorePlan.Settling] = [:]
  private var problems: [Snapshot.Problem] = []

  /// `keepsAdded`: removes nothing but what something wanted replaces.
  package init(
    keepsAdded: Bool, isInPlace: Bool = false, linkCount: @escaping (PathKey) -> Int,
    present: @escaping (PathKey) throws(FolderError) -> TreeEntry?,
    wanted: @escaping (PathKey) throws(FolderError) -> TreeEntry?
  ) {
    self.keepsAdded = keepsAdded
    self.isInPlace = isInPlace
    self.linkCount = linkCount
    self.present = present
    self.wanted = wanted
  }

  /// The plan; use the planner once. `name`: 16 hex digits that nobody else's plan has.
  ///
  /// `differences`: ascending by key; `old` is what is there, `new` what is wanted.
  package mutating func plan(
    _ differences: [TreeDifference], name: String
  ) throws(FolderError) -> RestorePlan {
    var container: (key: PathKey, index: Int)?
    var refused: PathKey?
    for (index, difference) in differences.enumerated() {
      guard let key = (difference.new ?? difference.old)?.key else { continue }
      if let top = refused, difference.new != nil, key.isBeneath(top) { continue }
      if let top = container, !key.isBeneath(top.key) { container = nil }
      if key.isRoot {
        settle(key, difference)
        continue
      }
      if difference.new != nil, let flaw = Self.flaw(key) {
        refused = key
        problems.append(Snapshot.Problem(key: key, kind: .unsupported, detail: flaw))
        continue
      }
      let next = index + 1 < differences.count ? differences[index + 1] : nil
      guard var item = try item(key, difference, next: next, &refused) else { continue }
      item.container = container?.index
      if container == nil, let new = item.new, new.isDirectoryEntry, item.action.builds {
        container = (key, items.count)
      }
      items.append(item)
    }
    try resolveLinks()
    try settleLinked()
    try settleParents()
    return RestorePlan(
      name: name, items: items, settlings: settlings.values.sorted { $0.key < $1.key },
      problems: problems)
  }

  private mutating func item(
    _ key: PathKey, _ difference: TreeDifference, next: TreeDifference?, _ refused: inout PathKey?
  ) throws(FolderError) -> RestorePlan.Item? {
    let action: RestorePlan.Action
    switch (difference.old, difference.new) {
    case (nil, nil): return nil
    case (nil, .some): action = .add
    case (.some(let old), nil):
      if keepsAdded { return nil }
      action = old.isDirectoryEntry ? .removeDirectory : .remove
    case (.some(let old), .some(let new)):
      switch (old.isDirectoryEntry, new.isDirectoryEntry) {
      case (true, true):
        settle(key, difference)
        return nil
      case (true, false):
        if keepsAdded, let beneath = (next?.old)?.key, beneath.isBeneath(key) {
          refused = key
          problems.append(
            Snapshot.Problem(
              key: key, kind: .unsupported,
              detail: "a directory with what was added since stands in its place"))
          return nil
        }
        action = .clear
      case (false, true): action = .exchange
      case (false, false):
        if old.hasSameContent(as: new), old.linkGroup == new.linkGroup {
          if old.hasSameMetadata(as: new) { return nil }
          // A change of another name's file is no business of this one.
          let isAlone = new.linkGroup != nil || linkCount(key) == 1
          action = isAlone ? .adjust : .replace
        } else {
          action = mayOverwrite(old, new) ? .overwrite : .replace
        }
      }
    }
    return RestorePlan.Item(
      key: key, action: action, old: difference.old, new: difference.new, container: nil, link: nil)
  }

  /// Whether a file can be brought to another content where it is: not one with further names, of which
  /// nobody asked.
  private func mayOverwrite(_ old: TreeEntry, _ new: TreeEntry) -> Bool {
    isInPlace && old.kind == .file && new.kind == .file && old.linkGroup == nil
      && new.linkGroup == nil && max(old.size, new.size) >= Self.smallestInPlace
      && linkCount(old.key) == 1
  }

  // MARK: - Directories that stay

  private mutating func settle(_ key: PathKey, _ difference: TreeDifference) {
    guard let new = difference.new else { return }
    let isSame = difference.old?.hasSameMetadata(as: new) ?? false
    if isSame { return }
    let isChange = !(difference.old?.hasSameAccess(as: new) ?? false)
    settlings[key] = RestorePlan.Settling(
      key: key, old: difference.old, new: new, isChange: isChange)
  }

  /// Directories in which names change get their times back.
  private mutating func settleParents() throws(FolderError) {
    var gone: Set<PathKey> = []
    for item in items where item.action == .removeDirectory || item.action == .clear {
      gone.insert(item.key)
    }
    var last: PathKey?
    for item in items where item.container == nil && item.action != .keep {
      guard let parent = item.key.parent, parent != last else { continue }
      last = parent
      if settlings[parent] != nil || gone.contains(parent) { continue }
      settlings[parent] = RestorePlan.Settling(
        key: parent, old: try present(parent), new: try wanted(parent), isChange: false)
    }
  }

  /// Immutable files that get further names, or lose some, are immutable again afterwards.
  private mutating func settleLinked() throws(FolderError) {
    for item in items {
      guard (item.new?.inodeFlags ?? 0) & MetadataWriter.immutable != 0 else { continue }
      var source: PathKey?
      if case .existing(let key) = item.link { source = key }
      if item.action == .keep { source = item.key }
      guard let source, settlings[source] == nil, let file = try present(source) else { continue }
      settlings[source] = RestorePlan.Settling(key: source, old: file, new: nil, isChange: false)
    }
  }

  // MARK: - Hard links

  /// Decides for each group of names of one file where that file comes from.
  private mutating func resolveLinks() throws(FolderError) {
    var groups: [PathKey: [Int]] = [:]
    var leaving: [PathKey: Int] = [:]
    for (index, item) in items.enumerated() {
      if let group = item.new?.linkGroup { groups[group, default: []].append(index) }
      if let group = item.old?.linkGroup, item.action != .adjust, item.action != .keep {
        leaving[group, default: 0] += 1
      }
    }
    for (group, members) in groups.sorted(by: { $0.key < $1.key }) {
      try resolve(group, members, leaving)
    }
  }

  private mutating func resolve(
    _ group: PathKey, _ members: [Int], _ leaving: [PathKey: Int]
  ) throws(FolderError) {
    guard let sample = items[members[0]].new else { return }
    if members.allSatisfy({ items[$0].action == .adjust }),
      linkCount(items[members[0]].key) == members.count
    {
      return
    }
    for index in members where items[index].action == .adjust { items[index].action = .replace }
    if !members.contains(where: { items[$0].key == group }), let first = try present(group),
      first.hasSameContent(as: sample), first.hasSameMetadata(as: sample)
    {
      for index in members { items[index].link = .existing(group) }
      return
    }
    if let kept = alreadyRight(members, leaving) {
      for index in kept { items[index].action = .keep }
      let source = items[kept[0]].key
      for index in members where items[index].action != .keep {
        items[index].link = .existing(source)
      }
      return
    }
    for index in members.dropFirst() { items[index].link = .item(members[0]) }
  }

  /// Members of a group that are one file with the right content already, when no name but theirs
  /// is left to that file afterwards.
  private func alreadyRight(_ members: [Int], _ leaving: [PathKey: Int]) -> [Int]? {
    var classes: [PathKey: [Int]] = [:]
    for index in members {
      guard let old = items[index].old, let new = items[index].new, old.hasSameContent(as: new),
        old.hasSameMetadata(as: new)
      else { continue }
      classes[old.linkGroup ?? old.key, default: []].append(index)
    }
    let largest = classes.max { left, right in
      (left.value.count, right.key) < (right.value.count, left.key)
    }
    guard let largest else { return nil }
    let kept = largest.value
    let isLinked = items[kept[0]].old?.linkGroup != nil
    let others = isLinked ? (leaving[largest.key] ?? 0) - kept.count : 0
    return linkCount(items[kept[0]].key) == kept.count + others ? kept : nil
  }

  // MARK: - Keys

  /// Why a key must not be written; nil when it may.
  static func flaw(_ key: PathKey) -> String? {
    for name in key.components {
      if name.isEmpty || name == [UInt8(ascii: ".")] || name == [0x2E, 0x2E] {
        return "its path has an empty component, . or .."
      }
      if name.contains(UInt8(ascii: "/")) { return "its name has a / in it" }
      if name.count > longestName { return "its name is longer than \(longestName) bytes" }
      if name == repositoryName { return "a repository is never written by a restore" }
    }
    return nil
  }
}
