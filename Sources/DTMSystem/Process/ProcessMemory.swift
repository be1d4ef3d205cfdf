internal import CLinux

/// The process's memory.
package enum ProcessMemory {
  /// Gives memory that was freed, and that the allocator keeps for later, back to the kernel: after work
  /// that needs much and comes seldom. Takes a few milliseconds for each 100 MiB.
  package static func trim() {
    _ = clinux_trim_heap()
  }
}
