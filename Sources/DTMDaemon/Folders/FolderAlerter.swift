internal import DTMConfiguration
internal import DTMControl
internal import DTMSystem
internal import Logging
internal import SystemPackage

/// Runs a folder's alert command for each event that somebody should look at, on a thread of its own: one
/// that hangs holds up nothing but the alerts behind it.
final class FolderAlerter: Sendable {
  /// Alerts that may wait; those beyond are in the journal alone, which is said.
  private static let capacity = 64
  /// Of its output so much is put into the log where it fails.
  private static let outputLimit = 4096

  /// How long the end of protection waits for alerts that were not sent yet.
  private static let patience = Duration.seconds(5)

  private let mailbox = Mailbox<ControlEvent>(capacity: capacity)
  private let isStopping = SharedFlag()
  private let thread: DedicatedThread
  private let logger: Logger

  /// `owner`: as whom the command runs; nil: as this process's user.
  init(
    _ command: AlertCommand, folder: FolderConfiguration, owner: FolderOwner?, logger: Logger
  ) throws(Errno) {
    let (mailbox, isStopping) = (mailbox, isStopping)
    self.logger = logger
    let directory = folder.path
    thread = try DedicatedThread(named: "a-\(folder.name)") {
      let starter: ProgramStarter
      do throws(Errno) {
        starter = try ProgramStarter(as: owner.map { ($0.uid, $0.gid) })
      } catch {
        return logger.error("alerts can't be sent", metadata: ["error": "\(error)"])
      }
      while case .element(let event) = mailbox.receive(until: .never) {
        if isStopping.isSet { return }
        Self.run(command, event, in: directory, starter, logger) { isStopping.isSet }
      }
    }
  }

  /// Has the command run for an event.
  func offer(_ event: ControlEvent) {
    if mailbox.offer(event) { return }
    logger.warning("an alert is not sent: too many wait")
  }

  /// Lets the command run for what was offered, for a short while; then kills it. Waits for the thread.
  func stop() {
    mailbox.close()
    if thread.join(until: .after(Self.patience)) { return }
    isStopping.set()
    thread.join()
  }

  private static func run(
    _ command: AlertCommand, _ event: ControlEvent, in folder: FilePath, _ starter: ProgramStarter,
    _ logger: Logger, isCancelled: () -> Bool
  ) {
    var writer = JSONWriter(pretty: false)
    writer.object(event.write)
    writer.endLine()
    let variables = ProcessEnvironment.entries(
      SharedEnvironment.entries,
      setting: [
        ("DTM_FOLDER", Array(folder.string.utf8)),
        ("DTM_ALERT", Array((event.alert?.rawValue ?? "").utf8)),
      ])
    let program = ProgramOrder(
      command.command.map { Array($0.utf8) }, environment: variables, directory: "/")
    do throws(Errno) {
      let outcome = try BoundedRun.run(
        program, with: starter, within: command.timeout, keeping: outputLimit,
        input: writer.bytes, isCancelled: isCancelled)
      if outcome.end == .exited(0) || isCancelled() { return }
      logger.error(
        "the alert command failed",
        metadata: [
          "error": "\(outcome.end.map { "status \($0.status)" } ?? "its time was over")",
          "output": "\(Quoting.path(Array(outcome.output.prefix(200))))",
        ])
    } catch {
      logger.error("the alert command can't be run", metadata: ["error": "\(error)"])
    }
  }
}

/// What commands that the daemon runs see of its environment.
enum SharedEnvironment {
  static var entries: [[UInt8]] {
    let shown = ["PATH", "LANG", "LC_ALL", "TZ"].map { Array("\($0)=".utf8) }
    return ProcessEnvironment.entries.filter { entry in shown.contains { entry.starts(with: $0) } }
  }
}
