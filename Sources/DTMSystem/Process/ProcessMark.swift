internal import SystemPackage

/// Tells a process from any other, also from a later one with the same id.
package enum ProcessMark {
  /// The mark of a process that lives: the machine's boot, the id, and when it started; nil where there
  /// is none, or /proc does not tell.
  package static func of(_ pid: Int32) -> String? {
    guard let boot = text("/proc/sys/kernel/random/boot_id"),
      let status = text("/proc/\(pid)/stat"), let nameEnd = status.lastIndex(of: ")")
    else { return nil }
    // proc_pid_stat(5): behind the name in parentheses the third field follows; starttime is field 22.
    let fields = status[status.index(after: nameEnd)...].split(separator: " ")
    guard fields.count > 19, fields[0] != "Z" else { return nil }
    return "\(boot.prefix(36)):\(pid):\(fields[19])"
  }

  /// Whether the process of a mark lives; false for one of another boot.
  package static func isAlive(_ mark: String) -> Bool {
    let parts = mark.split(separator: ":")
    guard parts.count == 3, let pid = Int32(parts[1]) else { return false }
    return of(pid) == mark
  }

  private static func text(_ path: String) -> String? {
    guard let bytes = try? Descriptor.open(FilePath(path), .readOnly).readToEnd(limit: 4096) else {
      return nil
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
