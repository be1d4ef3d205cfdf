internal import DTMConfiguration
internal import DTMControl
internal import DTMSystem
internal import SystemPackage

/// The configurations of the daemons that may protect a user's folders.
struct DaemonConfigurations {
  private let invocation: Invocation

  init(_ invocation: Invocation) {
    self.invocation = invocation
  }

  /// Where they are looked for, in this order: `DTM_CONFIG` alone when it is set, else the user's
  /// own and the system's.
  var locations: [ConfigurationLocation] {
    if let path = invocation.environment["DTM_CONFIG"], !path.isEmpty {
      return [.file(FilePath(path))]
    }
    return invocation.user == 0 ? [.system] : [own, .system]
  }

  /// The one of this user's own daemon.
  var own: ConfigurationLocation {
    if let path = invocation.environment["DTM_CONFIG"], !path.isEmpty {
      return .file(FilePath(path))
    }
    if invocation.user == 0 { return .system }
    let home =
      invocation.environment["HOME"] ?? UserDirectory.home(ofUser: invocation.user) ?? "/"
    return .user(
      xdgConfigHome: invocation.environment["XDG_CONFIG_HOME"], home: FilePath(home))
  }

  /// The folder that is, or holds, an absolute path; nil where no configuration has one.
  ///
  /// A configuration that is not there, or not for this user to read, has none. Throws what is wrong
  /// with one that can't be understood.
  func folder(holding path: FilePath) throws -> FolderConfiguration? {
    for location in locations {
      if let found = try load(location)?.folder(holding: path) { return found }
    }
    return nil
  }

  /// Where a daemon listens that none of the usual places has: what the configurations say.
  func sockets() throws -> [FilePath] {
    try locations.compactMap { try load($0)?.daemon.socket }
  }

  /// Where this user's own daemon listens, where its configuration says so.
  func ownSocket() throws -> FilePath? { try load(own)?.daemon.socket }

  private func load(_ location: ConfigurationLocation) throws -> Configuration? {
    do throws(ConfigurationErrors) {
      return try Configuration.load(from: location)
    } catch {
      if error.code == .notFound || error.code == .permissionDenied { return nil }
      throw error
    }
  }
}
