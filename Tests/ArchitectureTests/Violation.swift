/// A place that breaks a rule.
struct Violation: Equatable, CustomStringConvertible {
  let path: String
  /// From 1.
  let line: Int
  let message: String
  /// Worth saying, but no reason to fail.
  var isWarning = false

  var description: String { "\(path):\(line): \(message)" }

  init(_ file: SourceFile, _ index: Int, _ message: String) {
    self.init(path: file.path, line: index + 1, message)
  }

  init(path: String, line: Int, _ message: String) {
    self.path = path
    self.line = line
    self.message = message
  }
}
