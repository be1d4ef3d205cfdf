internal import DTMRepository
internal import DTMSystem

/// Files that the configuration says belong together: captured as they were at one moment, or said not
/// to be.
///
/// A capture reads one after the other. They fit when each of them is by stat the same after the last one
/// was read; else all are read again. What changes all the time in the last one, a log say, is no reason:
/// it was read after all the others.
extension CaptureRun {
  /// Only where one of a group was written within so many seconds before it was captured can the group be
  /// between two states: who pauses for longer between two files is not at it.
  private static let freshness: Int64 = 60

  private struct Member {
    let key: PathKey
    let isCaptured: Bool
    /// Not as it was captured.
    let isOther: Bool
  }

  /// Keeps in mind a file that may be in the midst of a change of its group.
  func noteMember(_ key: PathKey, _ record: StateRecord) {
    if options.groups.isEmpty || !options.writesState { return }
    let now = environment.time.now()
    guard record.changed.seconds >= now.seconds - Self.freshness,
      options.groups.contains(where: { !$0.stems(of: key.name).isEmpty })
    else { return }
    freshMembers.insert(key)
  }

  func settleConfiguredGroups() throws(FolderError) {
    var settled: Set<[PathKey]> = []
    for key in freshMembers.sorted() {
      guard let parent = key.parent else { continue }
      for group in options.groups {
        for stem in group.stems(of: key.name) {
          let keys = group.names(stem: stem).map { parent.appending($0) }.sorted()
          if settled.insert(keys).inserted { try settle(keys) }
        }
      }
    }
  }

  private func settle(_ keys: [PathKey]) throws(FolderError) {
    var members = try members(keys)
    for _ in 1..<Self.readingLimit {
      if !members.contains(where: \.isOther) { return }
      let began = environment.time.monotonic()
      for member in members where member.isOther || member.isCaptured {
        // Gone, or not to be read any more: what was captured of it stays, and the next snapshot tells.
        if try !readAgain(member.key) { break }
      }
      members = try self.members(keys)
      if !members.dropLast().contains(where: \.isOther) { return }
      if environment.time.monotonic() - began > Self.slowReading { break }
    }
    guard let first = members.first(where: \.isOther) else { return }
    let others = keys.filter { $0 != first.key }.map { Quoting.path($0.name) }
    findings.problems.append(
      Snapshot.Problem(
        key: first.key, kind: .changing,
        detail: "it was written while \(others.joined(separator: ", ")) was read: they may not fit"
          + " together"))
  }

  /// Those that are in the tree or in the folder, in the order in which they are read.
  private func members(_ keys: [PathKey]) throws(FolderError) -> [Member] {
    try flush()
    var members: [Member] = []
    for key in keys {
      let entry = try currentEntry(key)
      let status = status(of: key)
      guard entry?.kind == .file || entry == nil && status?.kind == .file else { continue }
      let isSame =
        entry != nil && entry?.modified == status?.modified && entry?.size == status?.size
      members.append(Member(key: key, isCaptured: entry != nil, isOther: !isSame))
    }
    return members
  }
}
