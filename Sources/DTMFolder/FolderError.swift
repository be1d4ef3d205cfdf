package import DTMRepository
package import DTMSystem
package import SystemPackage

/// What went wrong with a data folder. Two errors are equal when their codes are.
package struct FolderError: Error, Sendable {
  /// What decides how a caller behaves.
  package struct Code: Hashable, Sendable {
    private enum Value: Hashable {
      case notFound, exists, corrupt, busy, noSpace, permissionDenied, unsupportedVersion
      case ambiguous, conflict, invalidInput, inputOutput, needsRecovery, held, refused,
        stateDamaged
    }
    private let value: Value

    /// No such folder, repository, snapshot, branch, tag or path.
    package static let notFound = Code(value: .notFound)
    package static let exists = Code(value: .exists)
    package static let corrupt = Code(value: .corrupt)
    /// Another process captures the folder.
    package static let busy = Code(value: .busy)
    package static let noSpace = Code(value: .noSpace)
    package static let permissionDenied = Code(value: .permissionDenied)
    package static let unsupportedVersion = Code(value: .unsupportedVersion)
    /// A name that fits several things.
    package static let ambiguous = Code(value: .ambiguous)
    /// Somebody else moved the branch meanwhile.
    package static let conflict = Code(value: .conflict)
    package static let invalidInput = Code(value: .invalidInput)
    package static let inputOutput = Code(value: .inputOutput)
    /// A restore was cut off: a writing command finishes it first.
    package static let needsRecovery = Code(value: .needsRecovery)
    /// The folder is gone, replaced or unmounted: nothing is recorded until somebody says so.
    package static let held = Code(value: .held)
    /// A change set does not begin where the state cache ends: a scan has to be made instead.
    package static let refused = Code(value: .refused)
    /// The state cache does not read as it was written; stays within this module.
    static let stateDamaged = Code(value: .stateDamaged)
  }

  package let code: Code
  /// A sentence that names the thing.
  package let message: String
  /// Lines of why or of candidates, for people.
  package let details: [String]
  /// What to do, where there is something.
  package let hint: String?
  package let path: PathKey?
  package let cause: Errno?

  package init(
    _ code: Code, _ message: String, details: [String] = [], hint: String? = nil,
    path: PathKey? = nil, cause: Errno? = nil
  ) {
    self.code = code
    self.message = message
    self.details = details
    self.hint = hint
    self.path = path
    self.cause = cause
  }

  /// Wraps a failed system call on a path of the folder (or on `what`).
  package init(_ cause: Errno, _ operation: String, _ what: String, path: PathKey? = nil) {
    let code: Code =
      switch cause {
      case .noSuchFileOrDirectory, .notDirectory: .notFound
      case .fileExists, .directoryNotEmpty: .exists
      case .noSpace, .diskQuotaExceeded: .noSpace
      case .permissionDenied, .notPermitted, .readOnlyFileSystem: .permissionDenied
      default: .inputOutput
      }
    self.init(code, "\(operation) \(what): \(cause.description)", path: path, cause: cause)
  }

  /// Wraps what the repository threw; `doing` says what for.
  package init(_ error: RepositoryError, _ doing: String? = nil) {
    let code: Code =
      switch error.code {
      // A snapshot may be pruned; what a snapshot needs has to be there.
      case .notFound: error.objectKind.map { $0 == .snapshot } ?? true ? .notFound : .corrupt
      case .exists: .exists
      case .corrupt: .corrupt
      case .locked: .busy
      case .noSpace: .noSpace
      case .permissionDenied: .permissionDenied
      case .unsupportedVersion: .unsupportedVersion
      case .conflict: .conflict
      case .invalidInput: .invalidInput
      default: .inputOutput
      }
    self.init(
      code, doing.map { "\($0): \(error.message)" } ?? error.message, cause: error.cause)
  }
}

extension FolderError: Equatable {
  package static func == (left: FolderError, right: FolderError) -> Bool {
    left.code == right.code
  }
}

/// Runs something on the repository and wraps what it throws, once.
func onRepository<Result>(
  _ doing: String? = nil, _ body: () throws(RepositoryError) -> Result
) throws(FolderError) -> Result {
  do throws(RepositoryError) { return try body() } catch { throw FolderError(error, doing) }
}
