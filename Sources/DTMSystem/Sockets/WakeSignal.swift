internal import CLinux
internal import Glibc
package import SystemPackage

/// Wakes a thread that waits in `Poll` (an eventfd(2)). Any thread may signal.
package final class WakeSignal: Sendable {
  private let event: Descriptor

  package init() throws(Errno) {
    let number = clinux_eventfd(0, CLINUX_EFD_CLOEXEC | CLINUX_EFD_NONBLOCK)
    if number < 0 { throw .current }
    event = Descriptor(owning: number)
  }

  /// Readable while a signal stands.
  package var descriptor: Int32 { event.rawValue }

  /// Makes the descriptor readable; several signals before a `clear` are one.
  package func signal() {
    // It can only fail when 2⁶⁴ − 2 signals stand, and then the descriptor is readable.
    var one: UInt64 = 1
    _ = unsafe write(event.rawValue, &one, MemoryLayout<UInt64>.size)
  }

  /// Takes the signals that stand.
  package func clear() {
    var count: UInt64 = 0
    _ = unsafe read(event.rawValue, &count, MemoryLayout<UInt64>.size)
  }
}
