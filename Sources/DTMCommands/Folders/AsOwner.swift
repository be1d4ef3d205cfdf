internal import DTMSystem
internal import Synchronization
internal import SystemPackage

/// Work that root does as the owner of a folder.
enum AsOwner {
  /// Runs `body`; where the process is root's and the owner is somebody else, on a thread of its own
  /// that acts as the owner.
  static func run<Value: Sendable>(
    _ uid: UInt32, _ gid: UInt32, processUser: UInt32,
    _ body: @escaping @Sendable () throws(CommandFailure) -> Value
  ) throws(CommandFailure) -> Value {
    if processUser != 0 || uid == 0 { return try body() }
    let box = Box<Value>()
    do throws(Errno) {
      let thread = try DedicatedThread(named: "dtm-owner") {
        let outcome = Result<Value, CommandFailure> { () throws(CommandFailure) in
          do throws(Errno) { try ThreadIdentity.assume(uid: uid, group: gid) } catch {
            throw CommandFailure(error, "act as the folder's owner")
          }
          return try body()
        }
        box.value.withLock { $0 = outcome }
      }
      thread.join()
    } catch {
      throw CommandFailure(error, "start a thread")
    }
    guard let outcome = box.value.withLock({ $0 }) else {
      throw CommandFailure(.inputOutput, "the work as the folder's owner did not end")
    }
    return try outcome.get()
  }

  /// A lock that two threads share.
  private final class Box<Value: Sendable>: Sendable {
    let value = Mutex<Result<Value, CommandFailure>?>(nil)
  }
}
