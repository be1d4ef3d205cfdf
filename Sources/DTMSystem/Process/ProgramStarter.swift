internal import CLinux
internal import Glibc
package import SystemPackage

/// A program that is to be run.
package struct ProgramOrder: Sendable {
  /// The program, looked for in `PATH` where it holds no slash, and its arguments.
  package var words: [[UInt8]]
  /// `NAME=value` each.
  package var environment: [[UInt8]]
  package var directory: FilePath?
  /// Standard input is empty, and the program is the leader of a process group of its own.
  package var isDetached = false
  /// Where standard output and error go; nil: where this process's go.
  package var output: Int32?
  /// Where standard input comes from; nil: where this process's does.
  var input: Int32?

  package init(_ words: [[UInt8]], environment: [[UInt8]], directory: FilePath? = nil) {
    self.words = words
    self.environment = environment
    self.directory = directory
  }
}

/// How a program ended.
package enum ProgramEnd: Sendable, Equatable {
  case exited(Int32)
  case killed(signal: Int32)

  /// As a shell says it: 128 + n for signal n.
  package var status: Int32 {
    switch self {
    case .exited(let status): status
    case .killed(let signal): 128 + signal
    }
  }
}

/// Starts programs from a thread that has the identity with which the process began.
///
/// A thread that came to act as somebody else (`ThreadIdentity`) hands that on to what it starts: make
/// this before.
package final class ProgramStarter: Sendable {
  private enum Task: Sendable {
    case start(ProgramOrder)
    case kill(group: Int32)
  }

  private struct State: Sendable {
    var task: Task?
    var answer: Result<Int32, Errno>?
    var isEnded = false
  }

  private let state = Monitor(State())
  /// Kept, so that the thread lives as long.
  private let thread: DedicatedThread

  /// `identity`: whose the programs are; nil: whose the calling thread's would be. Throws when the system
  /// gives no thread.
  package init(as identity: (uid: UInt32, gid: UInt32)? = nil) throws(Errno) {
    let state = state
    thread = try DedicatedThread(named: "dtm-start") {
      let mayStart = Result<Void, Errno> { () throws(Errno) in
        if let identity { try ThreadIdentity.become(uid: identity.uid, group: identity.gid) }
      }
      while true {
        let next: Task?? = state.wait { state in
          if state.isEnded { return .some(nil) }
          guard let task = state.task.take() else { return nil }
          return task
        }
        guard let task = next ?? nil else { return }
        let answer = Result<Int32, Errno> { () throws(Errno) in
          try mayStart.get()
          return try Self.perform(task)
        }
        state.update { $0.answer = answer }
      }
    }
  }

  deinit {
    state.update { $0.isEnded = true }
  }

  /// Starts a program with no signal blocked, and none ignored that this process ignores for itself;
  /// returns its process id. One thread at a time. Throws `.noSuchFileOrDirectory` where there is none
  /// of this name, `.permissionDenied` and others where it can't be run.
  package func start(_ order: ProgramOrder) throws(Errno) -> Int32 {
    try answer(to: .start(order))
  }

  /// Kills what is left of the process group of a detached program: as its user, for the process itself may
  /// lack the right to (CAP_KILL).
  func killGroup(_ pid: Int32) {
    // There may be nobody left.
    _ = try? answer(to: .kill(group: pid))
  }

  private func answer(to task: Task) throws(Errno) -> Int32 {
    state.update { $0.task = task }
    let answer: Result<Int32, Errno>? = state.wait { $0.answer.take() }
    guard let answer else { throw .interrupted }
    return try answer.get()
  }

  private static func perform(_ task: Task) throws(Errno) -> Int32 {
    switch task {
    case .start(let order): return try spawn(order)
    case .kill(let group): return kill(-group, SIGKILL)
    }
  }

  /// Starts a program as the calling thread's user, as `start` says.
  static func spawn(_ order: ProgramOrder) throws(Errno) -> Int32 {
    guard let name = order.words.first, !name.isEmpty else { throw .noSuchFileOrDirectory }
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    if let directory = order.directory {
      unsafe directory.withPlatformString { path in
        _ = unsafe clinux_spawn_chdir(&actions, path)
      }
    }
    if order.isDetached {
      unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    }
    if let input = order.input {
      unsafe posix_spawn_file_actions_adddup2(&actions, input, 0)
    }
    if let output = order.output {
      unsafe posix_spawn_file_actions_adddup2(&actions, output, 1)
      unsafe posix_spawn_file_actions_adddup2(&actions, output, 2)
    }
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    unsafe posix_spawnattr_setsigmask(&attributes, &signals)
    for number in [SIGPIPE, SIGIO] { unsafe sigaddset(&signals, number) }
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    var flags = POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF
    if order.isDetached { flags |= POSIX_SPAWN_SETPGROUP }
    unsafe posix_spawnattr_setflags(&attributes, Int16(flags))
    let words = CStrings(order.words)
    let variables = CStrings(order.environment)
    var pid: pid_t = 0
    let failure = try unsafe withCString(of: name) { name throws(Errno) in
      unsafe posix_spawnp(
        &pid, name, &actions, &attributes, words.pointers, variables.pointers)
    }
    if failure != 0 { throw Errno(rawValue: failure) }
    return pid
  }
}
