package import DTMConfiguration
internal import DTMControl
internal import DTMSystem
package import SystemPackage

/// What the daemon is started with.
package struct DaemonOptions: Sendable {
  package var configuration: ConfigurationLocation
  /// Where to listen; nil for what the configuration says, else the usual place.
  package var socket: FilePath?

  package init(configuration: ConfigurationLocation, socket: FilePath? = nil) {
    self.configuration = configuration
    self.socket = socket
  }

  /// Where the configuration of this process's user is when no file is named: what `DTM_CONFIG`
  /// says, root's in /etc, a user's own below `XDG_CONFIG_HOME`.
  package static func location(
    named file: FilePath?, environment: [String: String]
  ) -> ConfigurationLocation {
    if let file { return .file(file) }
    if let file = environment["DTM_CONFIG"], !file.isEmpty { return .file(FilePath(file)) }
    let uid = ThreadIdentity.processUser
    if uid == 0 { return .system }
    let home = environment["HOME"] ?? UserDirectory.home(ofUser: uid) ?? "/"
    return .user(xdgConfigHome: environment["XDG_CONFIG_HOME"], home: FilePath(home))
  }
}
