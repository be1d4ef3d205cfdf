internal import DTMRepository
internal import DTMSystem

extension CaptureRun {
  /// The entry as the tree has it now, with all that waits written.
  func currentEntry(_ key: PathKey) throws(FolderError) -> TreeEntry? {
    guard let current else { return nil }
    return try onRepository { () throws(RepositoryError) in try current.entry(key) }
  }

  /// Ends the capture: link groups, silent changes where they count, and the tree.
  ///
  /// `isWanted`: whether a snapshot is made even without changes.
  func finish(isWanted: Bool) throws(FolderError) -> Tree {
    if var builder {
      self.builder = nil
      current = try onRepository { () throws(RepositoryError) in try builder.finish() }
    }
    try flush()
    try settleGroups()
    try flush()
    try joinLinks()
    if findings.hasChanges || isWanted {
      for (entry, record) in silent {
        batch.entries.append(entry)
        edit(.put(entry.key, record))
      }
      silent = []
    } else {
      for (entry, _) in silent {
        findings.revisits.append(Revisit(entry.key, .entry, .directoryTime))
        // The tree keeps what it has, so what stands here must be looked at again.
        if known == nil { edit(.put(entry.key, .unseen(entry.kind))) }
      }
    }
    try flush()
    guard let current else {
      preconditionFailure("a capture without a base has a builder")
    }
    sortFindings()
    return current
  }

  /// Gives the names of each file that has several the same content and group.
  private func joinLinks() throws(FolderError) {
    for group in links.changed {
      var names = Set(try knownNames(group.identity))
      names.subtract(group.dropped)
      names.formUnion(group.added)
      let sorted = names.sorted()
      if group.links > sorted.count, let first = sorted.first {
        findings.revisits.append(Revisit(first, .entry, .linkedElsewhere))
      }
      for name in sorted {
        guard let entry = try currentEntry(name) else { continue }
        var wanted = group.latest ?? entry
        wanted.key = name
        wanted.linkGroup = sorted.count > 1 ? sorted.first : nil
        if wanted == entry { continue }
        batch.entries.append(wanted)
        if base != nil, try baseEntry(name) == entry {
          findings.counts.modified += 1
          findings.hasChanges = true
        }
      }
      if batch.entries.count >= Self.sliceLimit { try flush() }
    }
    try flush()
  }

  func knownNames(_ identity: InodeIdentity) throws(FolderError) -> [PathKey] {
    guard let known else { return [] }
    return try onState { () throws(StateFailure) in try known.names(of: identity) }
  }

  private func sortFindings() {
    addCarriedProblems()
    findings.problems.sort { $0.key < $1.key }
    findings.uncovered = Array(Set(findings.uncovered)).sorted()
    findings.hot = Array(Set(findings.hot)).sorted()
    findings.nested.sort()
  }
}
