package import DTMRepository
package import DTMSystem
package import SystemPackage

/// What went wrong with a data folder. Two errors are equal when their codes are.
///
/// A path that can't be read is no error: it is a problem in the result.
package struct FolderError: Error, Sendable {
  /// What decides how a caller behaves.
  package struct Code: Hashable, Sendable {
    private enum Value: Hashable {
      case notFound, locked, permissionDenied, inputOutput, cancelled, refused, repository
    }
    private let value: Value

    /// The folder, or the path in it, is not there.
    package static let notFound = Code(value: .notFound)
    /// Another process captures this folder.
    package static let locked = Code(value: .locked)
    package static let permissionDenied = Code(value: .permissionDenied)
    package static let inputOutput = Code(value: .inputOutput)
    package static let cancelled = Code(value: .cancelled)
    /// The change set does not begin where the state cache ends, or the folder's configuration
    /// changed since: a scan has to be made instead.
    package static let refused = Code(value: .refused)
    /// The repository's error is in `repository`.
    package static let repository = Code(value: .repository)
  }

  package let code: Code
  /// A sentence that names the thing.
  package let message: String
  package let path: PathKey?
  package let repository: RepositoryError?
  /// The system's word, where it began there.
  package let cause: Errno?

  package init(
    _ code: Code, _ message: String, path: PathKey? = nil, cause: Errno? = nil
  ) {
    self.code = code
    self.message = message
    self.path = path
    repository = nil
    self.cause = cause
  }

  package init(_ error: RepositoryError) {
    code = error.code == .locked ? .locked : .repository
    message = error.message
    path = nil
    repository = error
    cause = error.cause
  }

  /// Wraps a failed system call on a path of the folder.
  package init(_ cause: Errno, _ operation: String, _ path: PathKey) {
    code =
      switch cause {
      case .noSuchFileOrDirectory, .notDirectory: .notFound
      case .permissionDenied, .notPermitted: .permissionDenied
      default: .inputOutput
      }
    let name = path.isRoot ? "the folder" : Quoting.path(path.path)
    message = "\(operation) \(name): \(cause.description)"
    self.path = path
    repository = nil
    self.cause = cause
  }
}

extension FolderError: Equatable {
  package static func == (left: FolderError, right: FolderError) -> Bool {
    left.code == right.code
  }
}

/// Runs an operation of the repository and wraps its error.
func withRepository<Result>(
  _ body: () throws(RepositoryError) -> Result
) throws(FolderError) -> Result {
  do throws(RepositoryError) {
    return try body()
  } catch {
    throw FolderError(error)
  }
}
