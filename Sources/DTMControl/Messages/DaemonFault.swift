package import DTMSystem

/// An error as Varlink carries it: those of `io.dtm.Daemon` and of `org.varlink.service`.
package enum DaemonFault: Error, Sendable, Equatable {
  case noSuchFolder(String)
  case permissionDenied(reason: String)
  case busy(reason: String)
  /// `path`: the file it is about, where it is about one.
  case snapshotFailed(reason: String, path: String?)
  /// A stage can't begin or end so. `isKnown`: it has ended otherwise already; else nothing has begun.
  case stageRefused(reason: String, isKnown: Bool)
  case configurationError(file: String, line: Int, column: Int, message: String)
  case interfaceNotFound(String)
  case methodNotFound(String)
  case methodNotImplemented(String)
  case invalidParameter(String)
  /// The method streams, and the caller takes one reply only.
  case expectedMore
  /// One that this version does not know.
  case other(name: String)

  /// The error's whole name.
  package var name: String {
    switch self {
    case .noSuchFolder: "io.dtm.Daemon.NoSuchFolder"
    case .permissionDenied: "io.dtm.Daemon.PermissionDenied"
    case .busy: "io.dtm.Daemon.Busy"
    case .snapshotFailed: "io.dtm.Daemon.SnapshotFailed"
    case .stageRefused: "io.dtm.Daemon.StageRefused"
    case .configurationError: "io.dtm.Daemon.ConfigurationError"
    case .interfaceNotFound: "org.varlink.service.InterfaceNotFound"
    case .methodNotFound: "org.varlink.service.MethodNotFound"
    case .methodNotImplemented: "org.varlink.service.MethodNotImplemented"
    case .invalidParameter: "org.varlink.service.InvalidParameter"
    case .expectedMore: "org.varlink.service.ExpectedMore"
    case .other(let name): name
    }
  }

  /// A sentence for people, without a full stop.
  package var explanation: String {
    switch self {
    case .noSuchFolder(let folder):
      "the daemon protects no folder \(Quoting.path(Array(folder.utf8)))"
    case .permissionDenied(let reason), .busy(let reason), .stageRefused(let reason, _): reason
    case .snapshotFailed(let reason, let path): path.map { "\(reason): \($0)" } ?? reason
    case .configurationError(let file, let line, let column, let message):
      line > 0 ? "\(file):\(line):\(column): \(message)" : "\(file): \(message)"
    case .interfaceNotFound(let name): "the daemon has no interface \(name)"
    case .methodNotFound(let name), .methodNotImplemented(let name):
      "the daemon has no method \(name)"
    case .invalidParameter(let name): "the daemon does not accept the parameter \(name)"
    case .expectedMore: "the method streams: it is to be called with more"
    case .other(let name): "the daemon answered \(name)"
    }
  }

  /// Writes the members of the error's parameters.
  func writeParameters(_ writer: inout JSONWriter) {
    switch self {
    case .noSuchFolder(let folder): writer.field("folder", folder)
    case .permissionDenied(let reason), .busy(let reason): writer.field("reason", reason)
    case .snapshotFailed(let reason, let path):
      writer.field("reason", reason)
      if let path { writer.field("path", path) }
    case .stageRefused(let reason, let isKnown):
      writer.field("reason", reason)
      writer.field("isKnown", isKnown)
    case .configurationError(let file, let line, let column, let message):
      writer.field("file", file)
      writer.field("line", line)
      writer.field("column", column)
      writer.field("message", message)
    case .interfaceNotFound(let name): writer.field("interface", name)
    case .methodNotFound(let name), .methodNotImplemented(let name): writer.field("method", name)
    case .invalidParameter(let name): writer.field("parameter", name)
    case .expectedMore, .other: break
    }
  }

  /// What an error reply says. One with parameters that are not as expected is `other`.
  package init(name: String, parameters: JSONNode) {
    func text(_ key: String) -> String? { parameters[key]?.string }
    let fault: DaemonFault? =
      switch name {
      case "io.dtm.Daemon.NoSuchFolder": text("folder").map { .noSuchFolder($0) }
      case "io.dtm.Daemon.PermissionDenied": text("reason").map { .permissionDenied(reason: $0) }
      case "org.varlink.service.PermissionDenied":
        .permissionDenied(reason: "the daemon does not allow it")
      case "io.dtm.Daemon.Busy": text("reason").map { .busy(reason: $0) }
      case "io.dtm.Daemon.SnapshotFailed":
        text("reason").map { .snapshotFailed(reason: $0, path: text("path")) }
      case "io.dtm.Daemon.StageRefused":
        text("reason").map {
          .stageRefused(reason: $0, isKnown: parameters["isKnown"]?.bool ?? false)
        }
      case "io.dtm.Daemon.ConfigurationError":
        DaemonFault.configurationError(parameters)
      case "org.varlink.service.InterfaceNotFound": text("interface").map { .interfaceNotFound($0) }
      case "org.varlink.service.MethodNotFound": text("method").map { .methodNotFound($0) }
      case "org.varlink.service.MethodNotImplemented":
        text("method").map { .methodNotImplemented($0) }
      case "org.varlink.service.InvalidParameter": text("parameter").map { .invalidParameter($0) }
      case "org.varlink.service.ExpectedMore": .expectedMore
      default: nil
      }
    self = fault ?? .other(name: name)
  }

  private static func configurationError(_ parameters: JSONNode) -> DaemonFault? {
    guard let file = parameters["file"]?.string, let message = parameters["message"]?.string,
      let line = parameters["line"]?.int, let column = parameters["column"]?.int
    else { return nil }
    return .configurationError(file: file, line: line, column: column, message: message)
  }
}
