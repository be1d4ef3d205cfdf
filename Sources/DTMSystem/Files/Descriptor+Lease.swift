internal import CLinux
internal import Glibc
package import SystemPackage

/// Read leases (`F_SETLEASE`): whether somebody has a file open for writing.
///
/// The process must ignore SIGIO beforehand: a writer that comes meanwhile breaks the lease, and the
/// signal's default action kills us.
extension Descriptor {
  /// Sets a read lease and drops it at once.
  ///
  /// Returns true when the kernel granted it: at that moment nobody had the file open for writing
  /// or mapped writable. False when somebody has (`EAGAIN`); nil when a lease can't be asked for
  /// here (not the owner and no `CAP_LEASE`, or a file system without leases).
  package func hasNoWriter() throws(Errno) -> Bool? {
    let isGranted = try beginLease()
    if isGranted == true { endLease() }
    return isGranted
  }

  /// Sets a read lease, and keeps it until `endLease` or the descriptor's end; returns what
  /// `hasNoWriter` does.
  ///
  /// Who opens the file for writing meanwhile, or truncates it, waits until the lease is dropped (for
  /// 45 seconds at most, `lease-break-time`).
  package func beginLease() throws(Errno) -> Bool? {
    if clinux_set_lease(rawValue, 1) == 0 { return true }
    let code = Errno.current
    switch code {
    case .resourceTemporarilyUnavailable: return false
    case .permissionDenied, .notPermitted, .invalidArgument, .notSupported, .noLocks: return nil
    default: throw code
    }
  }

  /// Whether a lease that was begun still holds: since then nobody has opened the file for writing, and
  /// nobody waits to.
  package var holdsLease: Bool { clinux_get_lease(rawValue) == Int32(F_RDLCK) }

  /// Drops a lease, and lets go on who waits for that.
  package func endLease() { _ = clinux_set_lease(rawValue, 0) }
}
