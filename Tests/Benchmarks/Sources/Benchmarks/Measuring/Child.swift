import Glibc

/// A program that was started, in a process group of its own, so that nothing of it is left behind.
final class Child {
  let identifier: pid_t
  private let command: Command
  private let start: ContinuousClock.Instant
  private var isRunning = true

  init(_ command: Command) throws {
    self.command = command
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(
      &actions, 1, command.output ?? "/dev/null", O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    posix_spawn_file_actions_addopen(
      &actions, 2, Self.errorFile, O_WRONLY | O_CREAT | O_TRUNC, 0o644)
    var attributes = posix_spawnattr_t()
    posix_spawnattr_init(&attributes)
    defer { posix_spawnattr_destroy(&attributes) }
    posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP))

    let settings = Self.inherited.merging(command.environment) { $1 }.map { "\($0)=\($1)" }
    let words = command.arguments.map { strdup($0) } + [nil]
    let variables = settings.map { strdup($0) } + [nil]
    defer { for pointer in words + variables { free(pointer) } }
    var identifier: pid_t = 0
    // The child begins where we are; paths of ours are all absolute.
    guard chdir(command.directory) == 0 else { throw SystemFailure("chdir", command.directory) }
    start = .now
    let status = posix_spawnp(
      &identifier, command.arguments[0], &actions, &attributes, words, variables)
    guard status == 0 else { throw Failure(command, String(cString: strerror(status))) }
    self.identifier = identifier
  }

  /// Standard error of the command that runs; said when it fails.
  static let errorFile = "/tmp/dtm-benchmarks-\(getpid()).stderr"

  private static let inherited: [String: String] = {
    var kept = ["LC_ALL": "C.UTF-8", "HOME": "/nonexistent"]
    if let path = getenv("PATH") { kept["PATH"] = String(cString: path) }
    return kept
  }()

  /// Waits for its end; what it and the processes it waited for have used.
  func wait() throws -> Measurement {
    var information = siginfo_t()
    while waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT) != 0 {
      guard errno == EINTR else { throw SystemFailure("waitid", command.arguments[0]) }
      try Interruption.check()
    }
    let wall = start.duration(to: .now)
    // A process that has ended keeps its counters until it is waited for.
    let written = ProcessFacts(of: identifier).bytesWritten
    var status: CInt = 0
    var usage = rusage()
    guard wait4(identifier, &status, 0, &usage) == identifier else {
      throw SystemFailure("wait4", command.arguments[0])
    }
    isRunning = false
    try Interruption.check()
    guard status & 0x7F == 0, command.accepted.contains(status >> 8) else {
      let said = Files.text(Self.errorFile)?.suffix(2000) ?? ""
      throw Failure(command, "wait status \(status)\n\(said)")
    }
    return Measurement([
      .cpu: usage.ru_utime.seconds + usage.ru_stime.seconds,
      .wall: wall / .seconds(1),
      .peakMemory: Double(usage.ru_maxrss) * 1024,
      .written: Double(written),
    ])
  }

  /// Whether it has ended; it is still to be waited for.
  func hasEnded() throws -> Bool {
    var information = siginfo_t()
    guard waitid(P_PID, id_t(identifier), &information, WEXITED | WNOWAIT | WNOHANG) == 0 else {
      throw SystemFailure("waitid", command.arguments[0])
    }
    return information.si_signo == SIGCHLD
  }

  /// Asks it to end and waits for that.
  func terminate() throws {
    kill(identifier, SIGTERM)
    _ = try wait()
  }

  /// Ends it and what it started, where it has not ended by itself.
  func end() {
    guard isRunning else { return }
    isRunning = false
    kill(-identifier, SIGKILL)
    var status: CInt = 0
    while waitpid(identifier, &status, 0) < 0 && errno == EINTR {}
  }
}

extension timeval {
  var seconds: Double { Double(tv_sec) + Double(tv_usec) / 1e6 }
}
