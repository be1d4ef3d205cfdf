internal import DTMSystem

/// When a file's times can't tell whether it changed after it was read: a change within the same
/// tick of the kernel's clock, or within the file system's granularity, leaves them as they are.
struct RacyRule {
  /// Times without a fraction come from file systems that keep seconds, or two (FAT).
  private static let coarseGranularity = Duration.seconds(2)
  /// Another machine's clock may be off by so much.
  private static let remoteGranularity = Duration.seconds(10)

  let tick: Duration
  let isRemote: Bool

  /// `changed`: the ctime; `started`: when its reading began.
  func isRecent(_ changed: FileTime, _ started: Timestamp) -> Bool {
    var margin = tick * 2
    if isRemote {
      margin += Self.remoteGranularity
    } else if changed.nanoseconds == 0 {
      margin += Self.coarseGranularity
    }
    return Timestamp(changed).advanced(by: margin) >= started
  }
}
