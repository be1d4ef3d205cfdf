internal import CLinux
internal import Glibc
package import SystemPackage

/// The signals that a service manager sends, read one after the other instead of interrupting.
///
/// A signalfd(2), and no libdispatch: a dispatch queue, as well as the tasks of Swift's default
/// executor, wakes the process each second for ever, to see whether it needs more threads.
package final class LifecycleSignals: Sendable {
  /// A signal that begins or ends a daemon's work.
  package enum Signal: Sendable {
    /// SIGTERM, SIGINT.
    case stop
    /// SIGHUP.
    case reload
  }

  private let descriptor: Descriptor

  /// Blocks the signals in the calling thread, which is the main one, before any other is started:
  /// a thread that does not block them would be interrupted by them.
  package init() throws(Errno) {
    var signals = sigset_t()
    unsafe sigemptyset(&signals)
    for number in [SIGTERM, SIGINT, SIGHUP] { unsafe sigaddset(&signals, number) }
    let status = unsafe pthread_sigmask(SIG_BLOCK, &signals, nil)
    if status != 0 { throw Errno(rawValue: status) }
    let number = clinux_signalfd_term()
    if number < 0 { throw .current }
    descriptor = Descriptor(owning: number)
  }

  /// The next signal; blocks until one comes.
  package func next() throws(Errno) -> Signal {
    // struct signalfd_siginfo is 128 bytes and begins with ssi_signo.
    let length = 128
    let number = try unsafe withUnsafeTemporaryAllocation(byteCount: length, alignment: 8) {
      buffer throws(Errno) in
      guard try unsafe descriptor.read(into: buffer) == length else { throw .ioError }
      return unsafe buffer.load(as: UInt32.self)
    }
    return number == UInt32(SIGHUP) ? .reload : .stop
  }
}
