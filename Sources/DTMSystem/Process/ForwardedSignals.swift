internal import CLinux
internal import Glibc
package import SystemPackage

/// Waits for a program that this process started, and hands on to it the signals that come meanwhile.
///
/// A signal of the terminal (Ctrl-C) reaches the whole process group, and so the program by itself:
/// only what somebody sends to this process alone is handed on.
package final class ForwardedSignals {
  /// Signals that end a program by default, or mean something to it.
  private static let forwarded = [
    SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGALRM, SIGCONT,
  ]

  private let descriptor: Descriptor

  /// Blocks the signals in the calling thread, which is the main one, for good: what comes before the
  /// program is started is handed on to it afterwards.
  package init() throws(Errno) {
    // An ignored SIGCHLD would have the kernel throw the program's status away.
    signal(SIGCHLD, SIG_DFL)
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in Self.forwarded + [SIGCHLD] { unsafe sigaddset(&signals, number) }
    let status = unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    if status != 0 { throw Errno(rawValue: status) }
    let number = unsafe withUnsafePointer(to: &signals) { unsafe clinux_signalfd($0) }
    if number < 0 { throw .current }
    descriptor = Descriptor(owning: number)
  }

  /// Waits until the process ends.
  package func wait(for pid: Int32) throws(Errno) -> ProgramEnd {
    while true {
      // Asked before each wait: many ends can be one SIGCHLD.
      if let end = try Self.end(of: pid, waits: false) { return end }
      let (number, code) = try next()
      // From the kernel (SI_KERNEL): the terminal's.
      if number == SIGCHLD || code == 0x80 { continue }
      _ = kill(pid, number)
    }
  }

  private func next() throws(Errno) -> (signal: Int32, code: Int32) {
    // struct signalfd_siginfo is 128 bytes: ssi_signo, ssi_errno, ssi_code.
    let length = 128
    return try unsafe withUnsafeTemporaryAllocation(byteCount: length, alignment: 8) {
      buffer throws(Errno) in
      guard try unsafe descriptor.read(into: buffer) == length else { throw .ioError }
      return unsafe (
        Int32(bitPattern: buffer.load(as: UInt32.self)),
        buffer.load(fromByteOffset: 8, as: Int32.self)
      )
    }
  }

  /// How a child ended; nil where it has not, and nobody waits.
  static func end(of pid: Int32, waits: Bool) throws(Errno) -> ProgramEnd? {
    var status: Int32 = 0
    let found = try retrying { unsafe waitpid(pid, &status, waits ? 0 : WNOHANG) }
    if found == 0 { return nil }
    let signal = clinux_exit_signal(status)
    return signal > 0 ? .killed(signal: signal) : .exited(clinux_exit_status(status))
  }
}

extension ProcessSignals {
  /// Waits until a child of this process ends, whatever signals come.
  package static func end(of pid: Int32) throws(Errno) -> ProgramEnd {
    guard let end = try ForwardedSignals.end(of: pid, waits: true) else { throw .noChildProcess }
    return end
  }
}
