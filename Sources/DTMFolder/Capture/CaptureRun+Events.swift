internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

extension CaptureRun {
  /// Looks at the paths of a change set, at what has to be looked at each time, and at nothing
  /// else.
  func lookAt(_ changes: ChangeSet, _ revisits: [Revisit]) throws(FolderError) {
    var looks: [PathKey: ChangeSet.Scope] = [:]
    func add(_ key: PathKey, _ scope: ChangeSet.Scope) {
      if looks[key] != .subtree { looks[key] = scope }
    }
    for (key, scope) in changes.paths {
      let (place, reach) = Self.reach(of: key, scope)
      add(place, reach)
      // A name that came or went moves its directory's time.
      if let parent = place.parent, looks[parent] == nil { add(parent, .entry) }
    }
    for key in changes.hot { add(key, .entry) }
    for revisit in revisits { add(revisit.key, revisit.scope) }
    try lookAt(looks)
    findings.uncovered += changes.uncovered
    try lookAtOtherNames(seen: Set(looks.keys))
    try keepLinkedElsewhere(revisits)
  }

  /// What a changed name means: an ignore file speaks of all beside and beneath it, and so does a
  /// repository that comes or goes.
  private static func reach(
    of key: PathKey, _ scope: ChangeSet.Scope
  ) -> (PathKey, ChangeSet.Scope) {
    let components = key.components
    if let index = components.firstIndex(of: repositoryName) {
      if index == 0 { return (.root, .entry) }
      return (PathKey(bytes: Array(components[..<index].joined(separator: [0]))), .subtree)
    }
    if components.last == IgnoreScope.fileName, let parent = key.parent {
      return (parent, .subtree)
    }
    return (key, scope)
  }

  private func lookAt(_ looks: [PathKey: ChangeSet.Scope]) throws(FolderError) {
    var walker = PathWalker(root, ignoring: scope)
    var covered: PathKey?
    var directories: Set<PathKey> = [.root]
    for (key, scope) in looks.sorted(by: { $0.key < $1.key }) {
      if let covered, key.isBeneath(covered) { continue }
      if let unknown = try firstUnknown(above: key, &directories) {
        covered = try lookAt(unknown, .subtree, &walker) ?? unknown
      } else if let place = try lookAt(key, scope, &walker) {
        covered = place
      }
    }
  }

  /// The outermost directory above a key that is not known as one: it is new, with all in it.
  private func firstUnknown(
    above key: PathKey, _ directories: inout Set<PathKey>
  ) throws(FolderError) -> PathKey? {
    var above: [PathKey] = []
    var parent = key.parent
    while let directory = parent, !directories.contains(directory) {
      above.append(directory)
      parent = directory.parent
    }
    for directory in above.reversed() {
      guard let record = try knownRecord(directory), record.isDirectory else { return directory }
      directories.insert(directory)
    }
    return nil
  }

  /// Looks at one path; returns the path beneath which everything is dealt with now, if any.
  private func lookAt(
    _ key: PathKey, _ reach: ChangeSet.Scope, _ walker: inout PathWalker
  ) throws(FolderError) -> PathKey? {
    if key.isRoot {
      try lookAtRoot()
      if reach == .entry { return nil }
      try scan(beneath: .root, status: nil, outer: scope)
      return .root
    }
    guard let parent = key.parent else { return nil }
    switch walker.enter(parent) {
    case .arrived(let directory, let scope):
      return try lookAt(key, reach, in: directory, scope) ? key : nil
    case .missing(let place), .ignored(let place):
      try forget(place)
      return place
    case .nested(let place):
      findings.nested.append(place)
      try goneBeneath(place)
      return place
    case .mounted(let place):
      uncover(place)
      return place
    case .unreadable(let place, let error):
      unreadable(place, error, nil)
      return place
    }
  }

  private func lookAt(
    _ key: PathKey, _ reach: ChangeSet.Scope, in directory: OpenEntry, _ scope: IgnoreScope
  ) throws(FolderError) -> Bool {
    if isTooLong(key) { return true }
    let before = try knownRecord(key).map { KnownEntries.Known(key: key, record: $0) }
    let found: FileStatus?
    do throws(Errno) {
      found = try root.status(of: key.name, in: directory)
    } catch {
      unreadable(key, error, before)
      return false
    }
    guard let status = found,
      scope.isEmpty || !scope.ignores(key.bytes, isDirectory: status.kind == .directory)
    else {
      try forget(key)
      return true
    }
    if root.isElsewhere(status) {
      uncover(key)
      return true
    }
    try look(key, status, .opened(directory), before, isTold: true)
    let wasDirectory = before?.record.isDirectory ?? false
    guard status.kind == .directory else {
      if wasDirectory { try goneBeneath(key) }
      return true
    }
    let record = StateRecord(
      status, rootDevice: root.device, captureClass: .stable, isRacy: false)
    let isSame = wasDirectory && before?.record.identity == record.identity
    if reach == .entry && isSame { return false }
    try scan(beneath: key, status: status, outer: scope)
    return true
  }

  /// A path that is not there, or is ignored: with all beneath it.
  private func forget(_ key: PathKey) throws(FolderError) {
    guard let record = try knownRecord(key) else { return }
    try gone(KnownEntries.Known(key: key, record: record))
    if record.isDirectory { try goneBeneath(key) }
  }

  // MARK: - Files with several names

  /// A change through one name is a change of the others, which no event tells.
  private func lookAtOtherNames(seen: Set<PathKey>) throws(FolderError) {
    var seen = seen
    while true {
      var others: [PathKey: ChangeSet.Scope] = [:]
      var strangers: Set<InodeIdentity> = []
      for group in links.changed {
        let names = try knownNames(group.identity)
        for name in names
        where !seen.contains(name) && !group.added.contains(name) && !group.dropped.contains(name) {
          others[name] = .entry
        }
        // A second name of a file that had one: only a search tells which.
        if names.isEmpty && group.added.count < group.links { strangers.insert(group.identity) }
      }
      for key in try search(strangers) where !seen.contains(key) { others[key] = .entry }
      if others.isEmpty { return }
      seen.formUnion(others.keys)
      try lookAt(others)
    }
  }

  /// The known names of files, by their inodes: reads all of the state, but nothing of the folder.
  private func search(_ identities: Set<InodeIdentity>) throws(FolderError) -> [PathKey] {
    guard !identities.isEmpty, let known else { return [] }
    var result: [PathKey] = []
    var entries = try onState { () throws(StateFailure) in try KnownEntries(known, beneath: nil) }
    while let entry = entries.current {
      if !entry.record.isDirectory, entry.record.captureClass != .unknown,
        identities.contains(entry.record.identity)
      {
        result.append(entry.key)
      }
      try onState { () throws(StateFailure) in try entries.advance() }
    }
    return result
  }

  /// Keeps looking at a file that has names elsewhere, unless this capture has changed that.
  func keep(_ revisit: Revisit) throws(FolderError) {
    guard let record = try knownRecord(revisit.key), record.isLinked else { return }
    if links.changed.contains(where: { $0.identity == record.identity }) { return }
    findings.revisits.append(revisit)
  }
}
