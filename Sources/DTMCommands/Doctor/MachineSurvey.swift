internal import DTMConfiguration
internal import DTMControl
internal import DTMFolder
internal import DTMSystem
internal import SystemPackage

/// Finds the facts that `dtm doctor` judges. Writes nothing that stays, and waits for nobody for long.
struct MachineSurvey {
  private static let journalSocket: FilePath = "/run/systemd/journal/socket"

  private let invocation: Invocation

  init(_ invocation: Invocation) {
    self.invocation = invocation
  }

  func facts() -> DoctorFacts {
    // A lease that is asked for may be broken by a signal.
    ProcessSignals.ignoreThoseOfFiles()
    let (configuration, errors) = configured()
    let (daemon, statuses) = asked()
    var facts = DoctorFacts(
      user: invocation.user, now: invocation.time.now(), limits: limits,
      usage: NotifyUsage.of(user: invocation.user),
      isClockSynchronized: ProcessClock.isSynchronized,
      hasJournal: (try? Descriptor.open(Self.journalSocket, .path)) != nil, daemon: daemon)
    facts.configurationErrors = errors
    var folders = configuration.map { folder in
      (name: folder.name, path: folder.path, isConfigured: true, repository: folder.repository)
    }
    // One that runs with another configuration than the usual one.
    for status in statuses where !folders.contains(where: { $0.path.string == status.path }) {
      folders.append((status.name, FilePath(status.path), true, nil))
    }
    if let here = here(), !folders.contains(where: { $0.path == here.folder }) {
      folders.append(
        (here.folder.lastComponent?.string ?? "/", here.folder, false, here.repository))
    }
    facts.folders = folders.map { folder in
      var facts = FolderSurvey(
        name: folder.name, path: folder.path, isConfigured: folder.isConfigured,
        repository: folder.repository, user: invocation.user
      ).facts()
      facts.status = statuses.first { $0.path == folder.path.string }
      return facts
    }
    return facts
  }

  private var limits: NotifyLimits? {
    do throws(Errno) { return try NotifyLimits.current() } catch { return nil }
  }

  /// The folders of this user's own daemon (of the system's, for root), or what is wrong with its
  /// configuration.
  private func configured() -> (folders: [FolderConfiguration], errors: [String]) {
    do throws(ConfigurationErrors) {
      let location = DaemonConfigurations(invocation).own
      return (try Configuration.load(from: location).folders, [])
    } catch {
      // None is there: that is no error.
      if error.code == .notFound { return ([], []) }
      return ([], error.errors.map(\.description))
    }
  }

  /// What the daemons say that this user may ask: of the first, whether it answers, and of all, how
  /// their folders are.
  private func asked() -> (daemon: DaemonFacts, folders: [FolderStatus]) {
    var facts: DaemonFacts?
    var failure: DaemonFacts?
    var folders: [FolderStatus] = []
    for socket in DaemonLink(invocation).knownSockets() {
      do throws(ControlError) {
        let status = try ControlClient(socket: socket).status()
        facts =
          facts
          ?? .running(version: status.version, pid: status.pid, socket: socket.string)
        folders += status.folders
      } catch {
        switch error.code {
        case .unavailable, .permissionDenied:
          failure = failure ?? .notRunning(reason: error.message)
        default: failure = .failing(reason: error.message)
        }
      }
    }
    return (facts ?? failure ?? .notRunning(reason: "no place for its socket is known"), folders)
  }

  /// The folder that the command is run in, or that `-C` names.
  private func here() -> FolderLocation? {
    try? FolderFinder(invocation: invocation).find()
  }
}
