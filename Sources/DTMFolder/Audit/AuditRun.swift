internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Compares entries with their records by stat, and directories' listings with the recorded names.
///
/// Records are gone through in key order, where a directory comes right before its content.
struct AuditRun {
  private let root: FolderRoot
  private let state: StateCache
  private var walker: PathWalker
  private var lookup: KnownLookup
  /// Files that each snapshot looks at anyway.
  private var hot: Set<PathKey> = []
  /// Directories and files that nothing vouches for; what is beneath them too.
  private var uncovered: Set<PathKey> = []
  /// A path beneath which everything is dealt with.
  private var covered: PathKey?
  private(set) var part = AuditPart()

  /// `state`: reading has begun.
  init(_ root: FolderRoot, _ state: StateCache, ignoring scope: IgnoreScope) throws(StateFailure) {
    self.root = root
    self.state = state
    walker = PathWalker(root, ignoring: scope)
    lookup = KnownLookup(state)
    for revisit in try state.revisits() {
      switch revisit.reason {
      case .hot: hot.insert(revisit.key)
      case .uncovered: uncovered.insert(revisit.key)
      case .directoryTime, .linkedElsewhere: break
      }
    }
  }

  /// Goes on after a key until so many entries were looked at.
  mutating func run(after cursor: PathKey?, limit: Int) throws(StateFailure) {
    var entries = try KnownEntries(state, after: cursor)
    while let known = entries.current {
      if part.entries >= limit {
        // The last one that was looked at, which is right before this.
        return
      }
      part.end = known.key
      part.entries += 1
      try look(at: known)
      try entries.advance()
    }
    part.end = nil
  }

  private mutating func look(at known: KnownEntries.Known) throws(StateFailure) {
    let key = known.key
    if let covered, key.isBeneath(covered) { return }
    if hot.contains(key) || known.record.captureClass == .unknown { return }
    if uncovered.contains(key) {
      covered = key
      return
    }
    do throws(Errno) {
      switch try sight(of: key) {
      case .nothing:
        suspect(key, known.record.isDirectory ? .subtree : .entry, nil)
        if known.record.isDirectory { covered = key }
        return
      case .excluded:
        covered = key
        return
      case .there(let found):
        if found.differs(from: known.record) {
          let isOther = found.isDirectory || known.record.isDirectory
          suspect(key, isOther ? .subtree : .entry, found)
          if isOther {
            covered = key
            return
          }
        }
        if !found.isDirectory { return }
      }
    } catch {
      // Not to be looked at now: the next snapshot says so, if it holds.
      covered = key
      return
    }
    try list(key)
  }

  private enum Sight {
    case there(StateRecord)
    case nothing
    /// Ignored, in a nested repository, or on another mount.
    case excluded
  }

  private mutating func sight(of key: PathKey) throws(Errno) -> Sight {
    guard let parent = key.parent else { return .there(root.sight(try root.currentStatus())) }
    switch walker.enter(parent) {
    case .arrived(let directory, let scope):
      guard let status = try root.status(of: key.name, in: directory) else { return .nothing }
      if root.isElsewhere(status) || scope.ignores(key.bytes, isDirectory: status.isDirectory) {
        return .excluded
      }
      return .there(root.sight(status))
    // A directory on the way that is not there is a suspect itself, of this part or one before.
    case .missing, .ignored, .nested, .mounted: return .excluded
    case .unreadable(_, let error): throw error
    }
  }

  private mutating func suspect(
    _ key: PathKey, _ scope: ChangeSet.Scope, _ sight: StateRecord?
  ) {
    part.suspects.append(AuditSuspect(key: key, scope: scope, sight: sight))
  }

  /// Finds names that no record knows.
  private mutating func list(_ key: PathKey) throws(StateFailure) {
    guard case .arrived(let directory, let scope) = walker.enter(key) else { return }
    let listing: DirectoryListing
    do throws(Errno) {
      listing = try DirectoryListing(reading: directory.descriptor)
    } catch { return }
    part.entries += listing.count
    for index in 0..<listing.count {
      let child = key.appending(listing.name(at: index))
      if try lookup.record(child) != nil { continue }
      if key.isRoot && child.name == repositoryName { continue }
      if child.bytes.count > CaptureRun.keyLimit { continue }
      do throws(Errno) {
        guard let status = try root.status(of: child.name, in: directory),
          !root.isElsewhere(status),
          !scope.ignores(child.bytes, isDirectory: status.isDirectory)
        else { continue }
        suspect(child, status.isDirectory ? .subtree : .entry, root.sight(status))
      } catch { continue }
    }
  }

  // MARK: - The second look

  /// Looks again at suspects.
  mutating func confirm(_ suspects: [AuditSuspect]) throws(StateFailure) -> AuditVerdict {
    var verdict = AuditVerdict()
    for suspect in suspects {
      if hot.contains(suspect.key) || uncovered.contains(suspect.key) { continue }
      let now: Sight
      do throws(Errno) {
        now = try sight(of: suspect.key)
      } catch { continue }
      var found: StateRecord?
      switch now {
      case .there(let sight): found = sight
      case .nothing: break
      case .excluded: continue
      }
      let record = try lookup.record(suspect.key)
      if !differs(found, record) { continue }
      if !differs(found, suspect.sight) {
        let isLate = isLate(suspect.key, found, record)
        verdict.findings.append(
          AuditVerdict.Finding(key: suspect.key, scope: suspect.scope, isLate: isLate))
      } else if suspect.looks < AuditSuspect.lookLimit {
        var next = AuditSuspect(key: suspect.key, scope: suspect.scope, sight: found)
        next.looks = suspect.looks + 1
        verdict.again.append(next)
      }
    }
    return verdict
  }

  /// Nil: there is nothing.
  private func differs(_ found: StateRecord?, _ before: StateRecord?) -> Bool {
    guard let found, let before else { return (found == nil) != (before == nil) }
    return found.differs(from: before)
  }

  /// Whether no event can have told the difference.
  private mutating func isLate(
    _ key: PathKey, _ found: StateRecord?, _ record: StateRecord?
  ) -> Bool {
    guard let found, let record, found.kind == .file else { return false }
    if found.links > 1 || record.links > 1 { return true }
    if found.differsInNamesOnly(from: record) { return true }
    guard let parent = key.parent, case .arrived(let directory, _) = walker.enter(parent) else {
      return false
    }
    do throws(Errno) {
      let file = try directory.descriptor.openOnSameMount(key.name, [.readOnly, .nonBlocking])
      return try file.hasNoWriter() == false
    } catch {
      return false
    }
  }
}

extension AuditSuspect {
  /// A path that is another one at each of so many looks is left to the next audit: it changes all
  /// the time, and then events tell of it too.
  static let lookLimit = 5
}

extension FileStatus {
  fileprivate var isDirectory: Bool { kind == .directory }
}
