import DTMTestSupport
import Glibc
import Synchronization
import Testing

/// A program that the tests started: its output in pipes or in a file, its end within a time limit.
///
/// Blocks the calling thread. Ends with SIGKILL when nobody waited for it.
final class ChildProcess {
  let pid: pid_t
  private let name: String
  private var output: Int32
  private var errors: Int32
  private var outputBytes: [UInt8] = []
  private var errorBytes: [UInt8] = []
  /// As waitpid(2) gives it; nil while the process lives.
  private var waitStatus: Int32?

  /// Pipes are made and children are spawned one at a time, so that no child inherits another's
  /// pipe between pipe(2) and fcntl(2).
  private static let spawning = Mutex(())

  /// Starts a program found in `PATH`, through env(1), which sets the working directory.
  ///
  /// With `log` standard output and error go to that file instead of pipes.
  init(
    _ command: [String], in directory: String, environment: [String: String], log: String? = nil
  ) throws {
    name = command.prefix(3).map { $0.split(separator: "/").last.map(String.init) ?? $0 }
      .joined(separator: " ")
    let arguments = ["env", "-C", directory] + command
    let variables = environment.map { "\($0)=\($1)" }
    (pid, output, errors) = try Self.spawning.withLock { _ in
      try Self.spawn(arguments, variables, log: log)
    }
  }

  deinit {
    if waitStatus == nil {
      kill(pid, SIGKILL)
      waitpid(pid, nil, 0)
    }
    if output >= 0 { close(output) }
    if errors >= 0 { close(errors) }
  }

  /// Whether the process still runs.
  var isRunning: Bool {
    if waitStatus != nil { return false }
    var status: Int32 = 0
    guard unsafe waitpid(pid, &status, WNOHANG) == pid else { return true }
    waitStatus = status
    return false
  }

  /// Whether the process has ended; reads meanwhile what it writes, so that it can.
  var hasEnded: Bool {
    readAvailable(milliseconds: 0)
    return !isRunning
  }

  func send(_ signal: Int32) {
    if isRunning { kill(pid, signal) }
  }

  /// Reads what the process writes until it ends, or until the time is over, which is a failure of
  /// the test and the end of the process.
  func finish(within limit: Duration = .seconds(60)) -> Outcome {
    if !collect(for: limit) {
      Issue.record("\(name) did not end within \(limit)")
      kill(pid, SIGKILL)
      _ = collect(for: .seconds(5))
    }
    return outcome
  }

  /// Lets the process run for so long and kills it with SIGKILL if it has not ended by then.
  func finishOrKill(after delay: Duration) -> (outcome: Outcome, wasKilled: Bool) {
    let ended = collect(for: delay)
    if !ended {
      kill(pid, SIGKILL)
      _ = collect(for: .seconds(5))
    }
    return (outcome, !ended)
  }

  /// Reads standard error until a line of it holds `text`; false when the time is over first.
  func waitForError(_ text: String, within limit: Duration) -> Bool {
    let deadline = ContinuousClock.now + limit
    while ContinuousClock.now < deadline {
      if String(decoding: errorBytes, as: UTF8.self).contains(text) { return true }
      if !isRunning { return false }
      readAvailable(milliseconds: 20)
    }
    return false
  }

  private var outcome: Outcome {
    var status: Int32 = -1
    if let waited = waitStatus {
      // WIFEXITED, WEXITSTATUS and WTERMSIG are macros: the low seven bits are the signal.
      status = waited & 0x7f == 0 ? (waited >> 8) & 0xff : 128 + (waited & 0x7f)
    }
    return Outcome(command: name, status: status, output: outputBytes, errors: errorBytes)
  }

  /// True when the process ended and its pipes are read to their ends.
  private func collect(for limit: Duration) -> Bool {
    let deadline = ContinuousClock.now + limit
    while true {
      let left = deadline - ContinuousClock.now
      let ended = !isRunning
      if ended {
        // A grandchild could hold the pipes: what is there now is all that is waited for.
        while readAvailable(milliseconds: 0) {}
        return true
      }
      if left <= .zero { return false }
      // Its end is seen as the end of its pipes; with none (a log file) by looking again.
      let pause = min(left, output >= 0 || errors >= 0 ? .milliseconds(5) : .milliseconds(2))
      let (_, attoseconds) = pause.components
      readAvailable(milliseconds: Int32(max(1, attoseconds / 1_000_000_000_000_000)))
    }
  }

  /// Waits so long for output and reads it; false when there was none.
  @discardableResult
  private func readAvailable(milliseconds: Int32) -> Bool {
    var polls = [
      pollfd(fd: output, events: Int16(POLLIN), revents: 0),
      pollfd(fd: errors, events: Int16(POLLIN), revents: 0),
    ]
    guard unsafe poll(&polls, 2, milliseconds) > 0 else { return false }
    var found = false
    if polls[0].revents != 0 { found = read(&output, into: &outputBytes) || found }
    if polls[1].revents != 0 { found = read(&errors, into: &errorBytes) || found }
    return found
  }

  private func read(_ descriptor: inout Int32, into bytes: inout [UInt8]) -> Bool {
    var buffer = [UInt8](repeating: 0, count: 65536)
    let count = unsafe Glibc.read(descriptor, &buffer, buffer.count)
    if count > 0 {
      bytes += buffer[..<count]
      return true
    }
    if count == 0 || errno != EINTR {
      close(descriptor)
      descriptor = -1
    }
    return false
  }

  private static func spawn(
    _ arguments: [String], _ variables: [String], log: String?
  ) throws -> (pid: pid_t, output: Int32, errors: Int32) {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    var readers: (output: Int32, errors: Int32) = (-1, -1)
    var writers: [Int32] = []
    defer { for writer in writers { close(writer) } }
    if let log {
      unsafe posix_spawn_file_actions_addopen(
        &actions, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0o600)
      unsafe posix_spawn_file_actions_adddup2(&actions, 1, 2)
    } else {
      let first = try makePipe()
      let second = try makePipe()
      readers = (first.reader, second.reader)
      writers = [first.writer, second.writer]
      unsafe posix_spawn_file_actions_adddup2(&actions, first.writer, 1)
      unsafe posix_spawn_file_actions_adddup2(&actions, second.writer, 2)
    }
    var argumentPointers = unsafe arguments.map { unsafe strdup($0) } + [nil]
    var variablePointers = unsafe variables.map { unsafe strdup($0) } + [nil]
    defer {
      for index in arguments.indices { unsafe free(argumentPointers[index]) }
      for index in variables.indices { unsafe free(variablePointers[index]) }
    }
    var pid: pid_t = 0
    let code = unsafe withCleanSignals { attributes in
      unsafe posix_spawn(
        &pid, "/usr/bin/env", &actions, attributes, &argumentPointers, &variablePointers)
    }
    try #require(code == 0, "posix_spawn: \(code)")
    return (pid, readers.output, readers.errors)
  }

  private static func makePipe() throws -> (reader: Int32, writer: Int32) {
    var ends: [Int32] = [-1, -1]
    try #require(unsafe pipe(&ends) == 0)
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }
}
