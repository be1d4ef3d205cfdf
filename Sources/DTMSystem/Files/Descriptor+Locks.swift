internal import CLinux
internal import Glibc
package import SystemPackage

extension Descriptor {
  /// Takes, converts or drops the open file description's lock on the whole file (`F_OFD_SETLK`).
  ///
  /// Returns false when another holds a lock that conflicts and `wait` is false. The lock belongs
  /// to the open file description: it ends when the last descriptor of it is closed. A shared lock
  /// needs a descriptor open for reading, an exclusive one for writing.
  package func lock(_ kind: FileLock, wait: Bool) throws(Errno) -> Bool {
    let type: Int32 =
      switch kind {
      case .shared: Int32(F_RDLCK)
      case .exclusive: Int32(F_WRLCK)
      case .none: Int32(F_UNLCK)
      }
    let descriptor = rawValue
    if wait {
      _ = try retrying { clinux_ofd_lock_wait(descriptor, type) }
      return true
    }
    if clinux_ofd_lock(descriptor, type) == 0 { return true }
    let code = Errno.current
    if code == .resourceTemporarilyUnavailable || code == .permissionDenied { return false }
    throw code
  }

  /// Who holds a lock that an exclusive one would conflict with: a pid, 0 where the kernel does
  /// not tell (open-file-description locks), nil when nobody does.
  package func lockHolder() throws(Errno) -> Int32? {
    var type: Int32 = 0
    var pid: Int32 = 0
    if unsafe clinux_ofd_lock_query(rawValue, Int32(F_WRLCK), &type, &pid) != 0 { throw .current }
    return type == Int32(F_UNLCK) ? nil : max(0, pid)
  }
}
