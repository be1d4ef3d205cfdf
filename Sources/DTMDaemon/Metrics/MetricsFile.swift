internal import DTMSystem
internal import Logging
internal import SystemPackage

/// Keeps a file of metrics for node_exporter's textfile collector: written whole, beside its place, and
/// renamed over it.
///
/// Written a moment after something changed, and every minute, so that the file's own time proves that
/// the daemon lives. The file goes with the daemon; one that was killed leaves it, to grow old.
final class MetricsFile: Sendable {
  /// Changes within so long are one write.
  private static let pause = Duration.seconds(1)
  /// node_exporter publishes the file's time as node_textfile_mtime_seconds.
  private static let longestAge = Duration.seconds(60)

  private struct State: Sendable {
    var hasNews = true
    var isStopping = false
  }

  let path: FilePath
  private let state: Monitor<State>
  private let thread: DedicatedThread

  /// Begins to write. Throws when the system gives no thread.
  init(
    path: FilePath, logger: Logger, text: @escaping @Sendable () -> String
  ) throws(Errno) {
    self.path = path
    let state = Monitor(State())
    self.state = state
    thread = try DedicatedThread(named: "metrics") {
      var told: Errno?
      while !Self.waitForNews(state) {
        do throws(Errno) {
          try Self.write(text(), to: path)
          told = nil
        } catch {
          if told != error {
            logger.warning(
              "the metrics file can't be written",
              metadata: ["path": "\(Quoting.path(path))", "error": "\(error)"])
          }
          told = error
        }
        // A busy folder makes no busy writer.
        _ = state.wait(until: .after(Self.pause)) { $0.isStopping ? true : nil }
      }
      try? Self.remove(path)
    }
  }

  /// Something changed.
  func news() {
    state.update { $0.hasNews = true }
  }

  /// Removes the file and returns.
  func stop() {
    state.update { $0.isStopping = true }
    thread.join()
  }

  /// Returns when there is something to write; true: the end.
  private static func waitForNews(_ state: Monitor<State>) -> Bool {
    let isEnd: Bool? = state.wait(until: .after(longestAge)) { state in
      if state.isStopping { return true }
      defer { state.hasNews = false }
      return state.hasNews ? false : nil
    }
    return isEnd ?? false
  }

  private static func write(_ text: String, to path: FilePath) throws(Errno) {
    guard let name = path.lastComponent?.string else { throw .invalidArgument }
    // Not `.prom`, which the collector would read.
    let temporary = ".\(name).new"
    let directory = try SystemFileOperations(
      directory: Descriptor.open(path.removingLastComponent(), [.readOnly, .directory]))
    let file = try Descriptor.open(
      path.removingLastComponent().appending(temporary),
      [.writeOnly, .create, .truncate, .noFollow], mode: 0o644)
    try file.write(Array(text.utf8))
    // The collector is somebody else; the daemon's umask is for what is nobody's business.
    try file.setMode(0o644)
    try directory.rename(temporary, to: name)
  }

  private static func remove(_ path: FilePath) throws(Errno) {
    guard let name = path.lastComponent?.string else { return }
    try SystemFileOperations(
      directory: Descriptor.open(path.removingLastComponent(), [.readOnly, .directory])
    ).remove(name)
  }
}
