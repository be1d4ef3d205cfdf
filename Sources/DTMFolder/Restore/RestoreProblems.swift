internal import DTMRepository
internal import DTMSystem
internal import Synchronization
internal import SystemPackage

/// Collects what a restore could not do, from several threads.
final class RestoreProblems: Sendable {
  /// What privilege or the file system may refuse; told once each.
  enum Refusal: String, CaseIterable, Sendable {
    case owner = "its owner can't be set"
    case attributes = "an extended attribute can't be set"
    case flags = "its inode flags can't be set"
    case permissions = "its mode can't be set"
    case times = "its time can't be set"
  }

  private struct State: Sendable {
    var problems: [Snapshot.Problem] = []
    var damaged: Set<PathKey> = []
    var refusals: [Refusal: (key: PathKey, cause: Errno, count: Int)] = [:]
  }

  private let state = Mutex(State())

  func add(_ key: PathKey, _ kind: Snapshot.Problem.Kind, _ detail: String) {
    state.withLock {
      $0.problems.append(Snapshot.Problem(key: key, kind: kind, detail: detail))
    }
  }

  func add(_ refusal: Refusal, _ key: PathKey, _ cause: Errno) {
    state.withLock { state in
      guard let (first, earlier, count) = state.refusals[refusal] else {
        state.refusals[refusal] = (key, cause, 1)
        return
      }
      state.refusals[refusal] = (min(first, key), earlier, count + 1)
    }
  }

  /// Notes what the repository can't give back whole.
  func addDamage(_ key: PathKey, _ detail: String) {
    state.withLock {
      $0.damaged.insert(key)
      $0.problems.append(Snapshot.Problem(key: key, kind: .unreadable, detail: detail))
    }
  }

  /// The paths of which something is damaged in the repository, in order.
  var damaged: [PathKey] { state.withLock { $0.damaged.sorted() } }

  /// All of them, in key order; each refusal once, under the first path that it met.
  var all: [Snapshot.Problem] {
    state.withLock { state in
      var result = state.problems
      for refusal in Refusal.allCases {
        guard let (key, cause, count) = state.refusals[refusal] else { continue }
        let more = count > 1 ? "; \(count - 1) more alike" : ""
        result.append(
          Snapshot.Problem(
            key: key, kind: .unsupported,
            detail: "\(refusal.rawValue): \(cause.description)\(more)"))
      }
      return result.sorted { $0.key < $1.key }
    }
  }
}

extension Errno {
  /// Whether it concerns one path alone, so that a restore goes on with the others.
  var isOfOnePath: Bool {
    switch self {
    case .permissionDenied, .notPermitted, .noSuchFileOrDirectory, .notDirectory, .fileExists,
      .isDirectory, .directoryNotEmpty, .tooManySymbolicLinkLevels, .improperLink, .fileNameTooLong,
      .resourceBusy, .textFileBusy, .tooManyLinks, .notSupported:
      true
    default: false
    }
  }
}
