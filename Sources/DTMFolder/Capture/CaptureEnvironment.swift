package import DTMSystem

/// What a capture takes from the machine it runs on, and a test gives instead.
package struct CaptureEnvironment: Sendable {
  /// Linux from 6.13 on gives an inode whose times were asked for a fresh time at the next change.
  private static let multigrainVersion = (6, 13)

  package var time: any TimeSource
  /// How far apart the times of inodes are on this kernel.
  package var tick: Duration
  /// Whether the kernel has multigrain times; the file system has to have them too.
  package var hasMultigrainTimes: Bool
  /// Lets time pass before a file is read again; blocks.
  package var pause: @Sendable (Duration) -> Void
  /// Calls that the capture makes on the folder.
  package var calls: SystemCalls
  /// Where captures and restores count what they have done.
  package var progress = WorkProgress()

  package init(
    time: any TimeSource, tick: Duration, hasMultigrainTimes: Bool,
    pause: @escaping @Sendable (Duration) -> Void, calls: SystemCalls = SystemCalls()
  ) {
    self.time = time
    self.tick = tick
    self.hasMultigrainTimes = hasMultigrainTimes
    self.pause = pause
    self.calls = calls
  }

  /// The machine as it is.
  package static func system() -> CaptureEnvironment {
    CaptureEnvironment(
      time: SystemTimeSource(), tick: Kernel.tick,
      hasMultigrainTimes: Kernel.version >= multigrainVersion,
      pause: { span in
        let nobody = Monitor(false)
        _ = nobody.wait(until: .after(span)) { _ -> Bool? in nil }
      })
  }
}
