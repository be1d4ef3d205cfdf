internal import Glibc

/// What the process does with signals that nobody waits for.
package enum ProcessSignals {
  /// Ignores what would end a process that writes to closed connections (SIGPIPE) or asks for
  /// leases (SIGIO, sent to the holder when a writer comes in between). Once, at the start.
  package static func ignoreThoseOfFiles() {
    for number in [SIGPIPE, SIGIO] { signal(number, SIG_IGN) }
  }

  /// This process's id.
  package static var processID: Int32 { getpid() }
}
