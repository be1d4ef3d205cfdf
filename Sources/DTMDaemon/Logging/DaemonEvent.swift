package import Logging

/// The kinds of events that the daemon records, each with a journal catalog entry
/// (packaging/journal/dtm.catalog) that explains it and says what to do.
package enum DaemonEvent: String, Sendable, CaseIterable {
  case daemonStarted
  case daemonStopped
  case configurationLoaded
  case configurationRefused
  case folderProtected
  case folderDegraded
  case folderUnprotected
  case folderLeft
  case folderPaused
  case folderResumed
  case snapshotTaken
  case snapshotIncomplete
  case snapshotFailed
  case eventsLost
  case changeMissed
  case changeLate
  case repositoryUnavailable
  case partStalled
  case checkFailed
  case roomFreed
  case upkeepFailed
  case machineSlept
  case guardAlarm

  /// The journal's MESSAGE_ID: 32 hexadecimal digits that never change.
  package var messageID: String {
    switch self {
    case .daemonStarted: "d124d3bad17249738d673b23da9c7e04"
    case .daemonStopped: "6c844443d919443c91882ca71dc36e09"
    case .configurationLoaded: "fbb885cccddb41429c9cbd87398f7446"
    case .configurationRefused: "5f1baded3b7a4aec97bd6654de16d5b7"
    case .folderProtected: "b4e44493b2db4c79bfa903c4bcec79ba"
    case .folderDegraded: "9c355899e56f4b7098d56407dca1a86f"
    case .folderUnprotected: "4efe65e23cd6401ab96a0603a2440454"
    case .folderLeft: "11be3c62c26144da8868ca1937869317"
    case .folderPaused: "aff8cc999c3c4db49d258859f8e95871"
    case .folderResumed: "2aeeae9826fa4a6a9966fea105b788ee"
    case .snapshotTaken: "98040983e60f496998f4b4ebabda4932"
    case .snapshotIncomplete: "52690a21a6e047c2b69a7eef4d2a18e6"
    case .snapshotFailed: "c894bc0efa4c42f489668f89e95e7be6"
    case .eventsLost: "84d6f962e05d4528b0714be2602a7314"
    case .partStalled: "3da166fa327c4fe69a93e200838f5437"
    case .roomFreed: "7c1e0b8fd3f24f0aa9a5f0d0c2b6e914"
    case .upkeepFailed: "e2f4d1a96b7c4b43a1c8d95f3e07ba62"
    case .checkFailed: "5b0f4f6c2a0d4c1f9d2e8e7a41c6b3d9"
    case .machineSlept: "7f1d1c3a52ab4c0e9b6a2f0d8c4e6b17"
    case .guardAlarm: "7e1f4a0c9b5d4e83a2c6d8f03b9471ea"
    case .changeMissed: "040e9d95eb934dfeb4aa0c590d79f1d1"
    case .changeLate: "2a97929df1a64b35b6930ef742cf49b9"
    case .repositoryUnavailable: "baa8a42b44544b398514333404c0666e"
    }
  }

  /// What happened, without the particulars, which go in metadata.
  package var text: String {
    switch self {
    case .daemonStarted: "dtmd has started"
    case .daemonStopped: "dtmd has stopped"
    case .configurationLoaded: "the configuration was loaded"
    case .configurationRefused: "the configuration was refused"
    case .folderProtected: "the folder is protected"
    case .folderDegraded: "the folder's protection is degraded"
    case .folderUnprotected: "the folder is not protected"
    case .folderLeft: "the folder is no longer protected"
    case .folderPaused: "automatic snapshots of the folder are held"
    case .folderResumed: "automatic snapshots of the folder go on"
    case .snapshotTaken: "snapshot taken"
    case .snapshotIncomplete: "snapshot taken, with problems"
    case .snapshotFailed: "a snapshot failed"
    case .eventsLost: "the kernel dropped events; the folder is scanned"
    case .partStalled: "a part of the daemon does not answer"
    case .roomFreed: "snapshots were pruned, or room was freed"
    case .upkeepFailed: "the folder's history could not be pruned or collected"
    case .checkFailed: "a check of a snapshot did not pass"
    case .machineSlept: "the machine slept; everything is compared once"
    case .guardAlarm: "the guard saw many files removed or destroyed"
    case .changeMissed: "a change was missed by the watcher and found by a scan"
    case .changeLate: "a change that no event tells was found by a scan"
    case .repositoryUnavailable: "the folder's repository can't be used"
    }
  }

  package var level: Logger.Level {
    switch self {
    case .daemonStarted, .daemonStopped, .configurationLoaded, .folderProtected, .folderLeft,
      .folderResumed, .snapshotTaken, .changeLate, .roomFreed, .machineSlept:
      .notice
    case .folderDegraded, .folderPaused, .snapshotIncomplete, .eventsLost, .checkFailed,
      .upkeepFailed:
      .warning
    case .configurationRefused, .folderUnprotected, .snapshotFailed, .changeMissed,
      .repositoryUnavailable, .partStalled:
      .error
    // Data is being lost, and somebody has to act at once.
    case .guardAlarm: .critical
    }
  }
}

extension Logger {
  /// The metadata key that names the event.
  static let eventKey = "event"

  /// Records an event. `details`: by the names that `JournalField` turns into the journal's.
  package func record(_ event: DaemonEvent, _ details: Logger.Metadata = [:]) {
    var metadata = details
    metadata[Logger.eventKey] = .string(event.rawValue)
    log(level: event.level, "\(event.text)", metadata: metadata)
  }
}
