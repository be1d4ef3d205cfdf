import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import Testing

@Suite struct ClockWatchTests {
  /// Sets the time of day to what it is, which the kernel tells as it tells any other.
  private func setClock() {
    var now = timespec()
    unsafe clock_gettime(CLOCK_REALTIME, &now)
    let status = unsafe clock_settime(CLOCK_REALTIME, &now)
    #expect(status == 0)
  }

  @Test(.enabled(if: geteuid() == 0, "only root sets the clock"))
  func `that the clock was set is told, and how long the machine slept before`() throws {
    let slept = Mutex(Duration.zero)
    let told = Monitor<[Duration]>([])
    let watch = try ClockWatch(
      sleep: { slept.withLock { $0 } }, onChange: { span in told.update { $0.append(span) } })
    defer { watch.stop() }
    func next() -> Duration? {
      told.wait(until: .after(.seconds(20))) { $0.isEmpty ? nil : $0.removeFirst() }
    }
    setClock()
    #expect(next() == .zero)
    slept.withLock { $0 = .seconds(3600) }
    setClock()
    #expect(next() == .seconds(3600))
    setClock()
    #expect(next() == .zero, "told once")
  }

  @Test func `it ends while nothing happens`() throws {
    let watch = try ClockWatch(onChange: { _ in })
    watch.stop()
    #expect(ClockWatch.sleepSinceStart() > .seconds(-1))
  }
}
