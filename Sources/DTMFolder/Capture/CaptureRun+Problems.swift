internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Problems that outlive the capture that found them: an entry that was recorded but for something
/// is so in each later snapshot too, until it is read anew.
extension CaptureRun {
  static let tooLongDetail = "a path in it is longer than \(keyLimit) bytes"

  /// Begins with those of the snapshot that the capture starts from.
  func carryProblems(of base: KnownSnapshot?) {
    for problem in base?.snapshot.problems ?? [] where problem.kind == .unsupported {
      carriedProblems[problem.key, default: []].append(problem)
    }
  }

  /// An entry was read: what is the matter with it now is known anew. What is beneath a directory
  /// is not.
  func dropCarriedProblems(of entry: TreeEntry) {
    if carriedProblems.isEmpty { return }
    let rest = (carriedProblems[entry.key] ?? []).filter {
      entry.kind == .directory && $0.detail == Self.tooLongDetail
    }
    carriedProblems[entry.key] = rest.isEmpty ? nil : rest
  }

  func addCarriedProblems() {
    let found = Set(findings.problems.map { $0.key })
    for (key, problems) in carriedProblems where !found.contains(key) {
      findings.problems += problems
    }
  }

  /// An entry that can't be read: what is known of it is carried forward.
  func unreadable(_ key: PathKey, _ error: Errno, _ known: KnownEntries.Known?) {
    findings.problems.append(
      Snapshot.Problem(key: key, kind: .unreadable, detail: error.description))
    uncover(key)
    carry(known)
  }

  func uncover(_ key: PathKey) {
    findings.uncovered.append(key)
    findings.revisits.append(Revisit(key, .subtree, .uncovered))
  }

  /// Whether a key is longer than the format allows; the outermost such paths are a problem of
  /// the directory that holds them.
  func isTooLong(_ key: PathKey) -> Bool {
    if key.bytes.count <= Self.keyLimit { return false }
    if let parent = key.parent, parent.bytes.count <= Self.keyLimit {
      findings.problems.append(
        Snapshot.Problem(
          key: parent, kind: .unsupported, detail: Self.tooLongDetail))
    }
    return true
  }
}
