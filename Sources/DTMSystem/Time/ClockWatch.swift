internal import CLinux
internal import Glibc
internal import Synchronization
package import SystemPackage

/// Tells when the time of day was set, or the machine slept: deadlines count neither.
///
/// A thread of its own waits for the kernel to say so (timerfd_create(2), `TFD_TIMER_CANCEL_ON_SET`), and
/// does not wake otherwise.
package final class ClockWatch: Sendable {
  private let wake: WakeSignal
  private let thread: Mutex<DedicatedThread?>

  /// `onChange`: called on the watch's thread with how long the machine has slept since the call before;
  /// zero where the clock was set. `sleep`: how long it has slept in all. Throws when the system gives no
  /// timer or thread.
  package init(
    sleep: @escaping @Sendable () -> Duration = ClockWatch.sleepSinceStart,
    onChange: @escaping @Sendable (_ slept: Duration) -> Void
  ) throws(Errno) {
    let number = clinux_timerfd_create(
      CLOCK_REALTIME, CLINUX_TFD_CLOEXEC | CLINUX_TFD_NONBLOCK)
    if number < 0 { throw .current }
    let timer = TimerDescriptor(Descriptor(owning: number))
    // Never due: only that it is called off matters.
    let flags = CLINUX_TFD_TIMER_ABSTIME | CLINUX_TFD_TIMER_CANCEL_ON_SET
    if clinux_timerfd_settime(number, flags, Int64(Int32.max) * 16, 0) != 0 { throw .current }
    let wake = try WakeSignal()
    self.wake = wake
    thread = Mutex(nil)
    let before = sleep()
    let started = try DedicatedThread(named: "clock") {
      Self.run(timer, wake, sleep, before, onChange)
    }
    thread.withLock { $0 = started }
  }

  deinit {
    wake.signal()
  }

  /// Ends the thread and waits for it; not to be called from it.
  package func stop() {
    wake.signal()
    thread.withLock { $0.take() }?.join()
  }

  /// How long the machine has slept since it was started: what `CLOCK_BOOTTIME` has and `CLOCK_MONOTONIC`
  /// has not.
  package static func sleepSinceStart() -> Duration {
    let awake = ProcessClock.monotonic
    return SystemTimeSource().monotonic() - awake
  }

  private final class TimerDescriptor: Sendable {
    let descriptor: Descriptor
    init(_ descriptor: consuming Descriptor) { self.descriptor = descriptor }
  }

  private static func run(
    _ timer: TimerDescriptor, _ wake: WakeSignal, _ sleep: () -> Duration, _ start: Duration,
    _ onChange: (Duration) -> Void
  ) {
    var before = start
    var expirations: UInt64 = 0
    while true {
      var entries = [
        PollEntry(timer.descriptor.rawValue, .readable), PollEntry(wake.descriptor, .readable),
      ]
      do throws(Errno) {
        _ = try Poll.wait(for: &entries, until: .never)
      } catch {
        // Memory is short: the next change is seen all the same, as it stands in the timer.
        continue
      }
      if !entries[1].found.isEmpty { return }
      // Fails with ECANCELED, which is what it is there for.
      _ = unsafe read(timer.descriptor.rawValue, &expirations, MemoryLayout<UInt64>.size)
      let now = sleep()
      onChange(max(.zero, now - before))
      before = now
    }
  }
}
