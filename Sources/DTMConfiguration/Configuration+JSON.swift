internal import DTMRules
internal import DTMSystem
internal import SystemPackage

extension Configuration {
  /// The whole as one main file would say it, with every default spelled out: reading that gives the
  /// same configuration.
  package var bytes: [UInt8] {
    var writer = JSONWriter(pretty: true)
    writer.object { writer in
      writer.object(DocumentKey.daemon.rawValue) { writer in
        writer.field(DaemonKey.socket.rawValue, daemon.socket?.string)
        writer.field(DaemonKey.metricsFile.rawValue, daemon.metricsFile?.string)
        writer.field(DaemonKey.logLevel.rawValue, daemon.logLevel.rawValue)
      }
      writer.array(DocumentKey.folders.rawValue) { writer in
        for folder in folders { writer.object { folder.writeMembers(to: &$0) } }
      }
    }
    writer.endLine()
    return writer.bytes
  }
}

extension FolderConfiguration {
  fileprivate func writeMembers(to writer: inout JSONWriter) {
    writer.field(FolderKey.name.rawValue, name)
    writer.field(FolderKey.path.rawValue, path.string)
    writer.field(FolderKey.repository.rawValue, repository?.string)
    writer.field(FolderKey.ignore.rawValue, strings: ignore)
    writer.array(FolderKey.together.rawValue) { writer in
      for group in together {
        writer.array { writer in
          for pattern in group.patterns { writer.string(pattern) }
        }
      }
    }
    writer.object(FolderKey.settle.rawValue) { writer in
      SettleOverrides(
        quiet: settle.quiet, atMost: settle.atMost, minInterval: settle.minInterval,
        openFiles: settle.openFiles
      ).write(to: &writer)
    }
    writer.array(FolderKey.rules.rawValue) { writer in
      for rule in rules { writer.object { rule.writeMembers(to: &$0) } }
    }
    writer.array(FolderKey.checks.rawValue) { writer in
      for check in checks { writer.object { check.writeMembers(to: &$0) } }
    }
    writer.object(FolderKey.keep.rawValue) { keep.writeMembers(to: &$0) }
    writer.object(FolderKey.guarding.rawValue) { guarding.writeMembers(to: &$0) }
    if let alert {
      writer.object(FolderKey.alert.rawValue) { alert.writeMembers(to: &$0) }
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
