internal import DTMSystem
internal import Logging
internal import Synchronization
internal import SystemPackage

/// Makes a folder's checks after each snapshot, on a thread of its own: one that hangs or dies holds up
/// nothing but the checks behind it.
final class FolderChecker: Sendable {
  /// Snapshots that may wait; those beyond are not checked, which is said.
  private static let capacity = 256

  /// What came of a snapshot's checks: the names of those that did not pass, with why.
  typealias Report = @Sendable (_ snapshot: String, _ failed: [String]) -> Void

  private let mailbox = Mailbox<String>(capacity: capacity)
  private let isStopping = SharedFlag()
  private let thread: DedicatedThread
  private let logger: Logger

  /// `prepare`: called on the thread, which then makes the checks.
  init(
    folder: String, logger: Logger,
    prepare: @escaping @Sendable (SharedFlag) throws -> any SnapshotChecks,
    report: @escaping Report
  ) throws(Errno) {
    let (mailbox, isStopping) = (mailbox, isStopping)
    self.logger = logger
    thread = try DedicatedThread(named: "c-\(folder)") {
      let checks: any SnapshotChecks
      do {
        checks = try prepare(isStopping)
      } catch {
        logger.error("checks can't be made", metadata: ["error": "\(error)"])
        return
      }
      while case .element(let snapshot) = mailbox.receive(until: .never) {
        if isStopping.isSet { return }
        guard let failed = checks.run(on: snapshot) else { continue }
        if !isStopping.isSet { report(snapshot, failed) }
      }
    }
  }

  /// Has a snapshot checked.
  func offer(_ snapshot: String) {
    if mailbox.offer(snapshot) { return }
    logger.warning(
      "a snapshot is not checked: too many wait", metadata: ["snapshot": "\(snapshot)"])
  }

  /// Kills the check that runs, and waits for the thread.
  func stop() {
    isStopping.set()
    mailbox.close()
    thread.join()
  }
}

/// The checks of a folder, made on one thread.
package protocol SnapshotChecks {
  /// Makes all of a snapshot's that were not made yet and records what they say; returns those that did
  /// not pass, with why. Nil where none is to be made.
  func run(on snapshot: String) -> [String]?
}

/// A flag that is set once.
package final class SharedFlag: Sendable {
  private let flag = Atomic(false)

  init() {}

  var isSet: Bool { flag.load(ordering: .acquiring) }

  func set() {
    flag.store(true, ordering: .releasing)
  }
}
