internal import CLinux
internal import Glibc
package import SystemPackage

/// A shell command that reads what this process writes to it, and shows it.
package final class PagerProcess {
  private let pid: pid_t
  private var input: Descriptor?

  /// Starts `command` by `/bin/sh -c`; its standard input is a pipe, the rest is this process's.
  ///
  /// `environment`: what it gets to see.
  package init(command: String, environment: [String: String]) throws(Errno) {
    var ends: (Int32, Int32) = (-1, -1)
    let status = unsafe withUnsafeMutableBytes(of: &ends) { buffer in
      unsafe buffer.bindMemory(to: Int32.self).baseAddress.map { unsafe clinux_pipe($0) } ?? -1
    }
    if status != 0 { throw .current }
    let reading = Descriptor(owning: ends.0)
    input = Descriptor(owning: ends.1)
    pid = try Self.spawn(command, environment, standardInput: reading.rawValue)
  }

  private static func spawn(
    _ command: String, _ environment: [String: String], standardInput: Int32
  ) throws(Errno) -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_adddup2(&actions, standardInput, 0)
    var attributes = posix_spawnattr_t()
    unsafe posix_spawnattr_init(&attributes)
    defer { unsafe posix_spawnattr_destroy(&attributes) }
    // What this process ignores would stay ignored in the child (execve(2)).
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGPIPE, SIGIO] { unsafe sigaddset(&signals, number) }
    unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
    unsafe posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGDEF))
    let words = CStrings(["sh", "-c", command])
    let variables = CStrings(environment.map { "\($0.key)=\($0.value)" })
    var pid: pid_t = 0
    let failure = unsafe posix_spawn(
      &pid, "/bin/sh", &actions, &attributes, words.pointers, variables.pointers)
    if failure != 0 { throw Errno(rawValue: failure) }
    return pid
  }

  /// Writes to the command. Throws `.brokenPipe` when it reads no more.
  package func write(_ bytes: [UInt8]) throws(Errno) {
    // The optional of a move-only value can't be borrowed through a class: its number can.
    guard let number = input?.rawValue else { throw .brokenPipe }
    var done = 0
    while done < bytes.count {
      let start = done
      done += try unsafe bytes.span.withUnsafeBytes { buffer throws(Errno) in
        try retrying {
          unsafe Glibc.write(
            number, buffer.baseAddress.map { unsafe $0 + start }, buffer.count - start)
        }
      }
    }
  }

  /// Ends its input and waits until it ends.
  package func finish() {
    input = nil
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0, Errno.current == .interrupted {}
  }
}
