import CLinux
import DTMSystem
import Glibc
import Testing

/// Runs in a thread whose mounts nobody else sees, and which end with it.
func inMountNamespace(_ body: @escaping @Sendable () throws -> Void) throws {
  let thread = try DedicatedThread(named: "mounts") {
    // CLONE_NEWNS; then nothing is passed on to the others: MS_REC | MS_PRIVATE.
    #expect(clinux_unshare(0x0002_0000) == 0)
    #expect(unsafe mount(nil, "/", nil, 0x4000 | 0x40000, nil) == 0)
    do {
      try body()
    } catch {
      Issue.record(error)
    }
  }
  thread.join()
}
