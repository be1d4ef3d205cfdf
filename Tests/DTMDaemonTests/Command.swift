import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

/// Runs programs for tests.
enum Command {
  /// Runs a program to its end; its standard output.
  static func run(_ arguments: [String], environment: [String] = []) throws -> String {
    let (read, write) = try Pipe.make()
    let pid = try start(arguments, environment: environment, output: write)
    close(write)
    let output = try Pipe.drain(read)
    let status = wait(pid)
    #expect(status == 0, "\(arguments.joined(separator: " ")): status \(status)")
    return output
  }

  /// Runs a program to its end; its exit status, or 128 and the signal's number.
  static func status(_ arguments: [String]) throws -> Int32 {
    wait(try start(arguments))
  }

  private static func wait(_ pid: pid_t) -> Int32 {
    var status: Int32 = 0
    _ = unsafe waitpid(pid, &status, 0)
    return status & 0x7f == 0 ? status >> 8 & 0xff : 128 + status & 0x7f
  }

  /// Starts a program, its standard input empty; standard output goes to `output`, where it is
  /// given.
  static func start(
    _ arguments: [String], environment: [String] = [], output: Int32? = nil
  ) throws -> pid_t {
    var actions = unsafe posix_spawn_file_actions_t()
    unsafe posix_spawn_file_actions_init(&actions)
    defer { unsafe posix_spawn_file_actions_destroy(&actions) }
    unsafe posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
    if let output { unsafe posix_spawn_file_actions_adddup2(&actions, output, 1) }
    let variables = environment + ["PATH=/usr/bin:/bin:/usr/sbin:/sbin", "LC_ALL=C.UTF-8"]
    var argv: [UnsafeMutablePointer<CChar>?] = unsafe arguments.map { unsafe strdup($0) } + [nil]
    var envp: [UnsafeMutablePointer<CChar>?] = unsafe variables.map { unsafe strdup($0) } + [nil]
    defer {
      for index in unsafe argv.indices { unsafe free(argv[index]) }
      for index in unsafe envp.indices { unsafe free(envp[index]) }
    }
    var pid: pid_t = 0
    let status = unsafe withCleanSignals { attributes in
      unsafe posix_spawnp(&pid, arguments[0], &actions, attributes, &argv, &envp)
    }
    if status != 0 { throw Errno(rawValue: status) }
    return pid
  }
}

/// A pipe, and what comes out of it.
enum Pipe {
  static func make() throws -> (read: Int32, write: Int32) {
    var ends: [Int32] = [0, 0]
    if unsafe pipe(&ends) != 0 { throw Errno.current }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  /// Reads to the end and closes.
  static func drain(_ read: Int32) throws -> String {
    defer { close(read) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 65536)
    while true {
      let count = unsafe Glibc.read(read, &buffer, buffer.count)
      if count < 0 { throw Errno.current }
      if count == 0 { return String(decoding: bytes, as: UTF8.self) }
      bytes += buffer[..<count]
    }
  }
}
