internal import DTMSystem
package import SystemPackage

/// One thing that is wrong with a configuration, and where.
package struct ConfigurationError: Error, Sendable, CustomStringConvertible {
  /// What a caller decides by.
  package struct Code: Hashable, Sendable {
    private enum Value: Hashable { case invalid, notFound, exists, permissionDenied, inputOutput }
    private let value: Value

    /// The text is no configuration.
    package static let invalid = Code(value: .invalid)
    /// A file that was asked for is not there.
    package static let notFound = Code(value: .notFound)
    /// The drop-in file is there already.
    package static let exists = Code(value: .exists)
    /// The caller may not read or write it.
    package static let permissionDenied = Code(value: .permissionDenied)
    /// The system refused for another reason; `cause` tells it.
    package static let inputOutput = Code(value: .inputOutput)
  }

  /// What kind of fault it is.
  package let code: Code
  /// A phrase without file and place and without a full stop.
  package let message: String
  /// What was probably meant; a phrase.
  package let hint: String?
  /// The file, or nil where none is meant.
  package let path: FilePath?
  /// From 1; nil where the whole file, or no file, is meant.
  package let line: Int?
  /// In bytes, from 1.
  package let column: Int?
  /// What the system said, where it refused.
  package let cause: Errno?

  init(
    _ code: Code, _ message: String, hint: String? = nil, path: FilePath? = nil, line: Int? = nil,
    column: Int? = nil, cause: Errno? = nil
  ) {
    self.code = code
    self.message = message
    self.hint = hint
    self.path = path
    self.line = line
    self.column = column
    self.cause = cause
  }

  /// A system call that failed on a file.
  init(_ message: String, path: FilePath, cause: Errno) {
    let code: Code =
      switch cause {
      case .noSuchFileOrDirectory: .notFound
      case .fileExists: .exists
      case .permissionDenied, .notPermitted, .readOnlyFileSystem: .permissionDenied
      default: .inputOutput
      }
    self.init(code, "\(message): \(cause)", path: path, cause: cause)
  }

  /// `/etc/dtm/dtmd.json:3:7: message; hint`, as compilers write it, so that editors find the place.
  package var description: String {
    var text = ""
    if let path { text += Quoting.path(path) + ":" }
    if let line { text += "\(line):" }
    if let column { text += "\(column):" }
    if !text.isEmpty { text += " " }
    text += message
    if let hint { text += "; \(hint)" }
    return text
  }
}

/// Everything that is wrong with a configuration, by file and place.
package struct ConfigurationErrors: Error, Sendable, CustomStringConvertible {
  /// At least one.
  package let errors: [ConfigurationError]

  init(_ errors: [ConfigurationError]) {
    precondition(!errors.isEmpty, "an error says what is wrong")
    self.errors = errors
  }

  /// One line an error.
  package var description: String { errors.map(\.description).joined(separator: "\n") }

  /// The first error's code: what a command's exit status is taken from.
  package var code: ConfigurationError.Code { errors[0].code }
}
