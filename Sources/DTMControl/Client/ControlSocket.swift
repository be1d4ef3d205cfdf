internal import DTMSystem
package import SystemPackage

/// Where daemons listen.
package enum ControlSocket {
  /// The system's daemon.
  package static let system: FilePath = "/run/dtm/dtmd.sock"

  /// A user's own daemon; nil where the environment has no absolute `XDG_RUNTIME_DIR`.
  package static func ofUser(environment: [String: String]) -> FilePath? {
    guard let directory = environment["XDG_RUNTIME_DIR"], directory.hasPrefix("/") else {
      return nil
    }
    return FilePath(directory).appending("dtm").appending("dtmd.sock")
  }

  /// A user's own daemon that runs without the user's login (dtmd@.service); nil for a user without a
  /// name.
  package static func ofService(uid: UInt32) -> FilePath? {
    guard let name = UserDirectory.name(ofUser: uid), FilePath.Component(name) != nil else {
      return nil
    }
    return FilePath("/run").appending("dtmd-\(name)").appending("dtmd.sock")
  }

  /// Where a daemon of this user listens when nothing else is said.
  package static func own(uid: UInt32, environment: [String: String]) -> FilePath? {
    uid == 0 ? system : ofUser(environment: environment)
  }

  /// Where a client looks, in this order: `DTM_SOCKET` alone when it is set, else the user's own
  /// daemon (of the login, then of the system's manager) and the system's.
  package static func candidates(uid: UInt32, environment: [String: String]) -> [FilePath] {
    if let path = environment["DTM_SOCKET"], !path.isEmpty { return [FilePath(path)] }
    if uid == 0 { return [system] }
    return [ofUser(environment: environment), ofService(uid: uid), system].compactMap { $0 }
  }
}
