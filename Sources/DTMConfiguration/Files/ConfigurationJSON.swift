internal import DTMRules
package import DTMSystem
internal import SystemPackage

/// The configuration as it is in force, for `dtm config show`: a text that reads back as the same.
extension Configuration {
  /// Writes it as one value: daemon and folders, with all values in force.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.object(DocumentKey.daemon.rawValue) { writer in
        writer.field(DaemonKey.socket.rawValue, daemon.socket?.string)
        writer.field(DaemonKey.metricsFile.rawValue, daemon.metricsFile?.string)
        writer.field(DaemonKey.logLevel.rawValue, daemon.logLevel.rawValue)
      }
      writer.array(DocumentKey.folders.rawValue) { writer in
        for folder in folders { folder.write(to: &writer) }
      }
    }
  }
}

extension FolderConfiguration {
  /// Writes it as one value, with all values in force.
  package func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field(FolderKey.name.rawValue, name)
      writer.field(FolderKey.path.rawValue, path.string)
      writer.field(FolderKey.repository.rawValue, repository?.string)
      writer.field(FolderKey.ignore.rawValue, strings: ignore)
      writer.object(FolderKey.settle.rawValue) { writer in
        SettleOverrides(
          quiet: settle.quiet, atMost: settle.atMost, minInterval: settle.minInterval,
          openFiles: settle.openFiles
        ).write(to: &writer)
      }
    }
  }
}

extension SettleOverrides {
  /// The members of a `settle` object.
  func write(to writer: inout JSONWriter) {
    for (key, span) in [
      (SettleKey.quiet, quiet), (.atMost, atMost), (.minInterval, minInterval),
    ] {
      if let span { writer.field(key.rawValue, DurationText.text(of: span)) }
    }
    if let openFiles { writer.field(SettleKey.openFiles.rawValue, openFiles.rawValue) }
  }
}
