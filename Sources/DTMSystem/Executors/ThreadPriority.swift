internal import CLinux
internal import Glibc

/// How much a thread stands back for others.
package enum ThreadPriority {
  /// Others go first from now on, at the processor and at the disk. Where the system does not allow it
  /// (a hardened unit, say), nothing changes.
  package static func lower() {
    _ = setpriority(__priority_which_t(PRIO_PROCESS.rawValue), id_t(clinux_gettid()), 10)
    _ = clinux_set_io_priority_idle()
  }
}
