internal import DTMConfiguration
internal import DTMControl
internal import DTMSystem
internal import SystemPackage

/// The daemon that protects a folder, when one runs.
struct DaemonLink {
  /// A connection to a daemon, and what it says of the folder.
  struct ProtectedFolder {
    let client: ControlClient
    let status: FolderStatus
    let pid: Int

    /// How the daemon knows the folder.
    var name: String { status.path }
  }

  private let invocation: Invocation

  init(_ invocation: Invocation) {
    self.invocation = invocation
  }

  /// The daemon that protects the folder at a path; nil where none runs, or none knows it or talks to
  /// this user.
  ///
  /// Throws when one does not answer as it should.
  func folder(_ path: FilePath) throws -> ProtectedFolder? {
    let text = String(decoding: path.bytes, as: UTF8.self)
    for socket in try sockets() {
      do throws(ControlError) {
        let client = try ControlClient(socket: socket)
        let status = try client.status(folder: text)
        guard let folder = status.folders.first else { continue }
        invocation.explain("dtmd \(status.version), process \(status.pid), protects it")
        return ProtectedFolder(client: client, status: folder, pid: status.pid)
      } catch {
        switch error.code {
        case .unavailable, .notFound, .permissionDenied:
          invocation.explain(error.message)
        default: throw error
        }
      }
    }
    return nil
  }

  /// The same for a command that can't do without.
  func requiredFolder(_ path: FilePath) throws -> ProtectedFolder {
    if let folder = try folder(path) { return folder }
    throw CommandFailure(
      .unavailable, "no daemon protects \(Quoting.path(path))",
      hint: "dtm protect \(Quoting.shell(path)) adds it;"
        + " systemctl start dtmd or dtmd run starts one"
    )
  }

  /// The first daemon that answers this user. Throws `.unavailable` where none does.
  func anyDaemon() throws -> ControlClient {
    // One that does not talk to this user is none.
    try first(of: sockets()) { client throws(ControlError) in _ = try client.status() }
  }

  /// The daemon whose configuration this user writes. Throws `.unavailable` where none runs.
  func ownDaemon() throws -> ControlClient {
    try first(of: ownSockets()) { _ in }
  }

  private func ownSockets() throws -> [FilePath] {
    let environment = invocation.environment
    if let path = environment["DTM_SOCKET"], !path.isEmpty { return [FilePath(path)] }
    if let path = try DaemonConfigurations(invocation).ownSocket() { return [path] }
    if invocation.user == 0 { return [ControlSocket.system] }
    return [
      ControlSocket.ofUser(environment: environment), ControlSocket.ofService(uid: invocation.user),
    ].compactMap { $0 }
  }

  /// The first daemon that answers and passes; throws what the first one said where none does.
  private func first(
    of paths: [FilePath], passing check: (ControlClient) throws(ControlError) -> Void
  ) throws -> ControlClient {
    var failure: ControlError?
    for path in paths {
      do throws(ControlError) {
        let client = try ControlClient(socket: path)
        try check(client)
        return client
      } catch {
        invocation.explain(error.message)
        failure = failure ?? error
      }
    }
    throw failure
      ?? ControlError(code: .unavailable, message: "there is no place for a daemon's socket")
  }

  /// Where daemons may listen, also where a configuration can't be understood.
  func knownSockets() -> [FilePath] {
    let all =
      (try? sockets())
      ?? ControlSocket.candidates(uid: invocation.user, environment: invocation.environment)
    var seen: Set<FilePath> = []
    return all.filter { seen.insert($0).inserted }
  }

  /// Where daemons listen: as the environment and the configurations say, or at the usual places.
  private func sockets() throws -> [FilePath] {
    let usual = ControlSocket.candidates(
      uid: invocation.user, environment: invocation.environment)
    if let path = invocation.environment["DTM_SOCKET"], !path.isEmpty { return usual }
    do {
      return try DaemonConfigurations(invocation).sockets() + usual
    } catch let errors as ConfigurationErrors {
      // A daemon that runs does so with an older, right configuration: ask it.
      invocation.explain(errors.description)
      return usual
    }
  }
}
