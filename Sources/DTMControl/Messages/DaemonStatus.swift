package import DTMSystem

/// How the daemon and its folders are: what `Status` returns.
package struct DaemonStatus: Sendable, Equatable {
  /// How well the worst of all folders is protected.
  package enum State: String, Sendable {
    case protected
    case degraded
    case unprotected
  }

  package var version: String
  package var pid: Int
  package var uptimeInSeconds: Double
  package var configuration: ConfigurationStatus
  package var folders: [FolderStatus]

  package init(
    version: String, pid: Int, uptimeInSeconds: Double, configuration: ConfigurationStatus,
    folders: [FolderStatus]
  ) {
    self.version = version
    self.pid = pid
    self.uptimeInSeconds = uptimeInSeconds
    self.configuration = configuration
    self.folders = folders
  }

  /// The worst of the folders' states; a configuration that was refused degrades, as a folder that
  /// it names may not be protected; so does a folder that is paused.
  package var state: State {
    if folders.contains(where: { $0.state == .unprotected }) { return .unprotected }
    if configuration.error != nil || folders.contains(where: { $0.state != .protected }) {
      return .degraded
    }
    return .protected
  }
}

/// Which configuration runs.
package struct ConfigurationStatus: Sendable, Equatable {
  /// The files it was read from.
  package var files: [String]
  /// When it was read.
  package var loaded: Timestamp
  /// Why a later one was refused (file, line, column, message); nil when none was.
  package var error: String?

  package init(files: [String], loaded: Timestamp, error: String? = nil) {
    self.files = files
    self.loaded = loaded
    self.error = error
  }

  init(_ fields: MessageFields) throws(FieldError) {
    guard let loaded = Timestamp(rfc3339: try fields.string("loaded")) else {
      throw FieldError(name: "loaded")
    }
    self.init(
      files: try fields.strings("files"), loaded: loaded,
      error: try fields.optionalString("error"))
  }

  /// Writes the members of `Configuration`, in Varlink as in JSON output.
  package func write(_ writer: inout JSONWriter) {
    writer.field("files", strings: files)
    writer.field("loaded", loaded.rfc3339)
    writer.field("error", error)
  }
}

extension DaemonStatus {
  init(_ fields: MessageFields) throws(FieldError) {
    self.init(
      version: try fields.string("version"), pid: try fields.int("pid"),
      uptimeInSeconds: try fields.double("uptimeSeconds"),
      configuration: try ConfigurationStatus(fields.object("configuration")),
      folders: try fields.list("folders").map { node throws(FieldError) in
        try FolderStatus(MessageFields(node))
      })
  }

  /// Writes the members of what `Status` returns.
  package func writeMessage(_ writer: inout JSONWriter) {
    writeCommon(&writer)
    writer.key("folders")
    writer.array { writer in
      for folder in folders { writer.object(folder.writeMessage) }
    }
  }

  /// Writes the document of `dtmd status --json`.
  package func writeJSON(_ writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("running", true)
      writeCommon(&writer)
      writer.key("folders")
      writer.array { writer in
        for folder in folders { writer.object(folder.writeJSON) }
      }
    }
  }

  private func writeCommon(_ writer: inout JSONWriter) {
    writer.field("version", version)
    writer.field("pid", pid)
    writer.key("configuration")
    writer.object(configuration.write)
    writer.field("uptimeSeconds", uptimeInSeconds)
    writer.field("state", state.rawValue)
  }
}
