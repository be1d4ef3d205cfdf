import DTMFolder
import DTMSystem
import Synchronization

/// A clock that calls a test each time it is asked: the capture asks before and after it reads a
/// file, so a test can change the file at exactly that moment, without a thread.
final class HookedTime: TimeSource {
  private let hook: Mutex<@Sendable (Int) -> Void>
  private let calls = Mutex(0)
  private let clock = SystemTimeSource()

  init(_ hook: @escaping @Sendable (Int) -> Void) {
    self.hook = Mutex(hook)
  }

  func now() -> Timestamp { clock.now() }

  func monotonic() -> Duration {
    let call = calls.withLock { count in
      count += 1
      return count
    }
    let hook = self.hook.withLock { $0 }
    hook(call)
    return clock.monotonic()
  }

  func set(_ body: @escaping @Sendable (Int) -> Void) {
    hook.withLock { $0 = body }
    calls.withLock { $0 = 0 }
  }
}

extension CaptureEnvironment {
  /// The machine as it is, but for the clock, and without waiting.
  static func hooked(_ time: any TimeSource, isMultigrain: Bool = true) -> CaptureEnvironment {
    var environment = CaptureEnvironment.system()
    environment.time = time
    environment.hasMultigrainTimes = environment.hasMultigrainTimes && isMultigrain
    environment.pause = { _ in }
    return environment
  }
}
