internal import DTMRepository
internal import DTMSystem

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
}
