package import SystemPackage

/// What went wrong in a repository. Two errors are equal when their codes are.
package struct RepositoryError: Error, Sendable {
  /// What decides how a caller behaves.
  package struct Code: Hashable, Sendable {
    private enum Value: Hashable {
      case notFound, exists, corrupt, locked, noSpace, permissionDenied, unsupportedVersion
      case cancelled, conflict, invalidInput, inputOutput
    }
    private let value: Value

    /// No such repository, object, snapshot, branch or tag.
    package static let notFound = Code(value: .notFound)
    /// Something of that name is there already.
    package static let exists = Code(value: .exists)
    /// An integrity check failed; the message has object, file, offset, expected and found.
    package static let corrupt = Code(value: .corrupt)
    /// Another process holds the lock.
    package static let locked = Code(value: .locked)
    package static let noSpace = Code(value: .noSpace)
    package static let permissionDenied = Code(value: .permissionDenied)
    /// A version or feature that this program does not know.
    package static let unsupportedVersion = Code(value: .unsupportedVersion)
    package static let cancelled = Code(value: .cancelled)
    /// A reference is no longer what the caller thought: begin again.
    package static let conflict = Code(value: .conflict)
    package static let invalidInput = Code(value: .invalidInput)
    package static let inputOutput = Code(value: .inputOutput)
  }

  package let code: Code
  /// A sentence that names the thing.
  package let message: String
  /// The file in the repository, relative to its root.
  package let file: String?
  package let object: ObjectID?
  /// What the object is, where it was looked for as one.
  package let objectKind: ObjectKind?
  /// The system's word, where it began there.
  package let cause: Errno?

  package init(
    _ code: Code, _ message: String, file: String? = nil, object: ObjectID? = nil,
    objectKind: ObjectKind? = nil, cause: Errno? = nil
  ) {
    self.code = code
    self.message = message
    self.file = file
    self.object = object
    self.objectKind = objectKind
    self.cause = cause
  }

  /// Wraps a failed system call on a file of the repository.
  package init(_ cause: Errno, _ operation: String, file: String) {
    let code: Code =
      switch cause {
      case .noSuchFileOrDirectory, .notDirectory: .notFound
      case .fileExists: .exists
      case .noSpace, .diskQuotaExceeded: .noSpace
      case .permissionDenied, .notPermitted, .readOnlyFileSystem: .permissionDenied
      default: .inputOutput
      }
    self.init(
      code, "\(operation) \(file): \(cause.description)", file: file, cause: cause)
  }

  /// An object or file whose bytes do not decode.
  package init(_ failure: DecodingFailure, of thing: String, object: ObjectID? = nil) {
    self.init(.corrupt, "\(thing): \(failure.message) (at byte \(failure.offset))", object: object)
  }
}

extension RepositoryError: Equatable {
  package static func == (left: RepositoryError, right: RepositoryError) -> Bool {
    left.code == right.code
  }
}

/// Runs system calls on a file of the repository and wraps what they throw, once.
func onFile<Result>(
  _ file: String, _ operation: String, _ body: () throws(Errno) -> Result
) throws(RepositoryError) -> Result {
  do throws(Errno) { return try body() } catch {
    throw RepositoryError(error, operation, file: file)
  }
}
