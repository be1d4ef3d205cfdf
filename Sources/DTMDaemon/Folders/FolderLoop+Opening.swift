internal import DTMConfiguration
internal import DTMControl
internal import DTMRules
internal import DTMSystem
internal import DTMWatch
internal import Logging
internal import SystemPackage

/// The beginning and the end of a folder's protection.
extension FolderLoop {
  /// Opens the engine and begins to watch; a failure is tried again, at ever longer intervals.
  mutating func openIfDue() {
    let now = time.monotonic()
    if engine != nil || nextOpening.map({ now < $0 }) ?? false { return }
    do throws(FolderEngineError) {
      try open()
      nextOpening = nil
      engineFailures = 0
    } catch {
      engineFailures += 1
      nextOpening = now + Settler.backOff(afterFailures: engineFailures)
      let isNews = shared.state.update { state in
        defer { state.face.engineError = error.description }
        return state.face.engineError != error.description
      }
      settledIn()
      if isNews {
        logger.record(
          .repositoryUnavailable,
          ["path": "\(configuration.path)", "error": "\(error.description)"])
        publish(.repositoryUnavailable, error.description)
      }
    }
  }

  /// Somebody asks: what was in the way may be mended just now.
  mutating func openNow() {
    nextOpening = nil
    openIfDue()
  }

  private mutating func open() throws(FolderEngineError) {
    if identity == nil {
      let owner = try engines.owner(of: configuration)
      do throws(Errno) {
        try ThreadIdentity.assume(uid: owner.uid, group: owner.gid)
      } catch {
        let name = UserDirectory.name(ofUser: owner.uid) ?? "\(owner.uid)"
        throw FolderEngineError(
          .permissionDenied, "the repository belongs to \(name), and dtmd may not act as \(name)")
      }
      identity = owner
      shared.state.update { $0.face.owner = owner }
      openAlerter(owner)
    }
    let engine = try engines.open(configuration, progress: shared.progress)
    do throws(FolderEngineError) {
      let newest = try engine.newestSnapshot()
      try openRules(engine)
      try openGuard(engine)
      try watch(engine.exclusion, holdsWhenEmpty: (newest?.files ?? 0) > 0)
      self.engine = engine
      openChecks(engine)
      planUpkeep()
      shared.state.update { state in
        state.face.engineError = nil
        state.face.lastSnapshot = newest
      }
    } catch {
      engine.close()
      throw error
    }
  }

  /// Begins to run the alert command, where one is configured.
  private mutating func openAlerter(_ owner: FolderOwner) {
    guard let command = configuration.alert, alerter == nil else { return }
    do throws(Errno) {
      alerter = try FolderAlerter(
        command, folder: configuration, owner: owner, logger: logger)
    } catch {
      logger.error("alerts can't be sent", metadata: ["error": "\(error)"])
    }
  }

  private mutating func watch(
    _ exclusion: @escaping @Sendable (PathKey, Bool) -> Bool, holdsWhenEmpty: Bool
  ) throws(FolderEngineError) {
    var options = FolderWatcher.Options()
    options.holdsWhenEmpty = holdsWhenEmpty
    let gate = shared.gate
    let mailbox = shared.mailbox
    do throws(WatchError) {
      let watcher = try FolderWatcher(
        path: configuration.path, options: options, time: time, isExcluded: exclusion
      ) { activity in
        if gate.opens(for: activity) { mailbox.offer(.look) }
      }
      if let rules, rules.isAboutPaths {
        watcher.setBoundary { key, isDirectory in rules.mayFit(key, isDirectory: isDirectory) }
      }
      try watcher.start()
      self.watcher = watcher
      shared.state.update { $0.watcher = watcher }
    } catch {
      throw FolderEngineError(.unavailable, error.description)
    }
  }

  /// Takes the last snapshot and cleans up.
  mutating func finish() {
    do throws(WatchError) {
      // What was written before the end is in the last snapshot.
      try watcher?.barrier(within: Self.watcherLimit)
    } catch {
      logger.warning("the watcher does not answer", metadata: ["error": "\(error)"])
    }
    look()
    perform(settler.on(.stopping, at: time.monotonic()))
    let stopping = DaemonFault.busy(reason: "dtmd stops protecting the folder")
    waiters.fail(stopping)
    for request in requests.values { request.answer(.failure(stopping)) }
    requests = [:]
    checker?.stop()
    upkeeper?.stop()
    alerter?.stop()
    engine?.close()
    engine = nil
    watcher?.stop()
    shared.state.update { state in
      state.face.engineError = "dtmd stops protecting the folder"
      state.watcher = nil
      state.isSettledIn = true
    }
    logger.record(.folderLeft, ["path": "\(configuration.path)"])
  }
}
