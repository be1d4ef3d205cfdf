internal import DTMConfiguration
internal import DTMSystem
internal import Logging
internal import Synchronization
internal import SystemPackage

/// The folders that are protected now.
final class FolderRoster: Sendable {
  private let engines: any FolderEngines
  private let time: any TimeSource
  private let logger: Logger
  private let events: EventHub
  private let onStateChange: @Sendable () -> Void
  private let services = Mutex<[FolderService]>([])

  init(
    engines: any FolderEngines, time: any TimeSource, logger: Logger, events: EventHub,
    onStateChange: @escaping @Sendable () -> Void
  ) {
    self.engines = engines
    self.time = time
    self.logger = logger
    self.events = events
    self.onStateChange = onStateChange
  }

  /// In the configuration's order.
  var all: [FolderService] { services.withLock { $0 } }

  /// The folder with this name, or at this absolute path.
  func service(for folder: String) -> FolderService? {
    let all = all
    if let service = all.first(where: { $0.configuration.name == folder }) { return service }
    if !folder.hasPrefix("/") { return nil }
    let path = FilePath(folder).lexicallyNormalized()
    return all.first { $0.configuration.path == path }
  }

  /// Protects what the configuration names and nothing else.
  ///
  /// What stays the same goes on untouched; settling takes its new words at once; a folder with
  /// another path, repository or patterns begins anew. Called by one thread at a time; blocks until
  /// those who leave have taken their last snapshot. Throws when the system gives no thread: then
  /// the folders that were begun already stay.
  func apply(_ configuration: Configuration) throws(Errno) {
    let before = all
    var kept: [String: FolderService] = [:]
    var leaving: [FolderService] = []
    for service in before {
      let new = configuration.folder(named: service.configuration.name)
      if let new, FolderRoster.isSameFolder(new, service.configuration) {
        service.setPolicy(new)
        kept[new.name] = service
      } else {
        leaving.append(service)
      }
    }
    // First out, then in: a folder that begins anew needs its capture lock.
    for service in leaving { service.stop() }
    for service in leaving { service.join() }
    var present: [FolderService] = []
    defer { services.withLock { $0 = present } }
    for folder in configuration.folders {
      if let service = kept[folder.name] {
        present.append(service)
      } else {
        present.append(
          try FolderService(
            folder, engines: engines, time: time, logger: logger, events: events,
            onStateChange: onStateChange))
      }
    }
  }

  /// Ends the protection of all; returns when each has taken its last snapshot.
  func stop() {
    for service in all { service.stop() }
    for service in all { service.join() }
  }

  private static func isSameFolder(
    _ new: FolderConfiguration, _ old: FolderConfiguration
  ) -> Bool {
    new.path == old.path && new.repository == old.repository && new.ignore == old.ignore
      && new.together == old.together && new.rules == old.rules && new.checks == old.checks
      && new.keep == old.keep && new.guarding == old.guarding && new.alert == old.alert
  }
}
