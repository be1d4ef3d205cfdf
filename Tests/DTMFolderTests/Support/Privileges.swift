import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

/// Runs a body in a thread that reaches files as a user who owns nothing here.
///
/// Tests run as root in CI; an ordinary user's test can't become another, and is its own stranger
/// where modes alone decide.
func asStranger<Result: Sendable>(
  _ body: @escaping @Sendable () throws -> Result
) throws -> Result {
  let outcome = Mutex<Swift.Result<Result, any Error>?>(nil)
  let thread = try DedicatedThread(named: "stranger") {
    let result = Swift.Result {
      if geteuid() == 0 { try ThreadIdentity.assume(uid: 65534) }
      return try body()
    }
    outcome.withLock { $0 = result }
  }
  thread.join()
  return try outcome.withLock { $0 }!.get()
}

/// Mounts a tmpfs while the body runs; needs root.
func withTmpfs(at path: FilePath, _ body: () throws -> Void) throws {
  let mounted = unsafe mount("tmpfs", path.string, "tmpfs", 0, "size=16m")
  try #require(mounted == 0, "mount(2): \(Errno(rawValue: errno)); this test needs root")
  defer { unsafe umount2(path.string, Int32(MNT_DETACH)) }
  try body()
}

/// Runs a body in a thread that reaches files as the process's own user, from within `asStranger`.
func asOwner(_ body: @escaping @Sendable () throws -> Void) throws {
  let outcome = Mutex<Swift.Result<Void, any Error>?>(nil)
  let thread = try DedicatedThread(named: "owner") {
    let result = Swift.Result {
      if geteuid() == 0 { try ThreadIdentity.assume(uid: 0) }
      try body()
    }
    outcome.withLock { $0 = result }
  }
  thread.join()
  try outcome.withLock { $0 }!.get()
}
