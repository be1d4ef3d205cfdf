import DTMSystem
import DTMWatch
import Glibc
import Testing

/// Big folders.
@Suite(.serialized, .timeLimit(.minutes(60))) struct ArmingTests {
  @Test func `sixteen thousand directories are armed, at 250 bytes each`() throws {
    let playground = try Playground()
    playground.makeDirectories(16_000)
    let clock = SystemTimeSource()
    let started = clock.monotonic()
    let startedCPU = clock_t.used
    let watcher = try playground.watcher()
    let armed = clock.monotonic()
    let armedCPU = clock_t.used
    let status = watcher.status
    #expect(status.watchedDirectories == 16_001)
    #expect(status.nodeBytes <= 250 * 16_001)
    playground.rename("folder/d7", "folder/moved")
    playground.write("folder/d900/e3/file")
    let asked = clock.monotonic()
    let set = try watcher.next()
    print(
      "16,000 directories armed in \(armed - started) (\(armedCPU - startedCPU) of CPU),",
      "\(status.nodeBytes / 16_001) bytes each,",
      "barrier and set after a rename in \(clock.monotonic() - asked)")
    #expect(set.marks.map(\.key) == [key("d7"), key("d900/e3/file"), key("moved")])
  }
}

extension clock_t {
  /// CPU time of the process.
  static var used: Duration { .microseconds(clock()) }
}
