internal import DTMConfiguration
internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
package import SystemPackage

/// The one place where the errors of the modules below become words and an exit status.
extension CommandFailure {
  package init(_ error: any Error) {
    switch error {
    case let failure as CommandFailure: self = failure
    case let error as FolderError: self.init(error)
    case let error as RepositoryError: self.init(FolderError(error))
    case let error as ControlError: self.init(error)
    case let errors as ConfigurationErrors: self.init(errors)
    case let error as Errno: self.init(error, "a system call failed")
    default: self.init(.inputOutput, "\(error)")
    }
  }

  private init(_ error: FolderError) {
    let code: Code =
      switch error.code {
      case .notFound: .notFound
      case .exists: .exists
      case .corrupt: .corrupt
      case .busy: .busy
      case .noSpace: .noSpace
      case .permissionDenied: .permissionDenied
      case .unsupportedVersion: .unsupportedVersion
      case .ambiguous: .ambiguous
      case .conflict: .conflict
      case .invalidInput: .invalidInput
      case .needsRecovery: .needsRecovery
      case .held: .held
      default: .inputOutput
      }
    self.init(
      code, error.message, details: error.details, hint: error.hint ?? Self.usualHint(code))
  }

  private init(_ error: ControlError) {
    let code: Code =
      switch error.code {
      case .unavailable: .unavailable
      case .timedOut, .busy: .busy
      case .permissionDenied: .permissionDenied
      case .notFound: .notFound
      case .configuration: .configuration
      case .invalidInput: .invalidInput
      case .exists: .exists
      case .unsupported: .unsupportedVersion
      default: .inputOutput
      }
    self.init(code, error.message, hint: Self.usualHint(code))
  }

  private init(_ errors: ConfigurationErrors) {
    let code: Code =
      switch errors.code {
      case .notFound: .notFound
      case .exists: .exists
      case .permissionDenied: .permissionDenied
      case .inputOutput: .inputOutput
      default: .configuration
      }
    let others = errors.errors.dropFirst()
    self.init(
      code, errors.errors.first?.description ?? "the configuration is wrong",
      details: others.map(\.description))
  }

  /// A system call that failed on a path (or a thing) that is named.
  package init(_ error: Errno, _ message: String) {
    let code: Code =
      switch error {
      case .noSuchFileOrDirectory, .notDirectory: .notFound
      case .fileExists, .directoryNotEmpty: .exists
      case .noSpace, .diskQuotaExceeded: .noSpace
      case .permissionDenied, .notPermitted, .readOnlyFileSystem: .permissionDenied
      case .brokenPipe: .brokenPipe
      default: .inputOutput
      }
    self.init(code, "\(message): \(error)", hint: Self.usualHint(code))
  }

  /// What helps against most failures of a kind; nil where nothing general does.
  private static func usualHint(_ code: Code) -> String? {
    switch code {
    case .corrupt:
      "dtm repair saves what can be saved; dtm verify --all --read-data says what is damaged"
    case .noSpace: "free some space on that disk, then run it again"
    case .busy, .conflict: "run it again in a moment"
    case .unavailable: "start it: systemctl start dtmd, or dtmd run"
    case .unsupportedVersion: "a newer version of dtm is needed"
    default: nil
    }
  }
}
