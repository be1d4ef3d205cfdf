internal import CLinux
internal import Glibc
internal import Synchronization
package import SystemPackage

/// A thread of our own that runs one closure: for work that blocks, or that has an identity
/// (`ThreadIdentity`) of its own.
///
/// All signals are blocked in it, so that they reach those who wait for them. A thread that nobody
/// joins is detached when the last reference goes; it never stops by itself before its closure
/// returns.
package final class DedicatedThread: Sendable {
  private let handle: Mutex<pthread_t?>
  private let completion: Monitor<Bool>

  /// Starts the thread.
  ///
  /// `name`: shown by ps and top, cut to 15 bytes as the kernel does. Throws
  /// `.resourceTemporarilyUnavailable` when the system gives no more threads.
  package init(named name: String, _ body: @escaping @Sendable () -> Void) throws(Errno) {
    let completion = Monitor(false)
    let start = Start(name: name) {
      body()
      completion.update { $0 = true }
    }
    let context = unsafe Unmanaged.passRetained(start)
    var thread = pthread_t()
    let status = unsafe pthread_create(
      &thread, nil,
      { argument in
        guard let argument = unsafe argument else { return nil }
        let start = unsafe Unmanaged<Start>.fromOpaque(argument).takeRetainedValue()
        start.run()
        return nil
      }, context.toOpaque())
    if status != 0 {
      unsafe context.release()
      throw Errno(rawValue: status)
    }
    handle = Mutex(thread)
    self.completion = completion
  }

  deinit {
    let thread = handle.withLock { $0.take() }
    if let thread { pthread_detach(thread) }
  }

  /// Waits until the closure has returned; at once when it has. Never call it in the thread itself.
  ///
  /// Returns false when the deadline passed first.
  @discardableResult
  package func join(until deadline: Deadline = .never) -> Bool {
    let ended = completion.wait(until: deadline) { $0 ? true : nil } ?? false
    if ended, let thread = handle.withLock({ $0.take() }) { pthread_join(thread, nil) }
    return ended
  }

  /// Whether the closure has returned.
  package var isFinished: Bool { completion.withLock { $0 } }

  /// What the new thread needs, handed over once.
  private final class Start: Sendable {
    private let name: String
    private let body: @Sendable () -> Void

    init(name: String, body: @escaping @Sendable () -> Void) {
      self.name = name
      self.body = body
    }

    func run() {
      var all = sigset_t()
      unsafe sigfillset(&all)
      unsafe pthread_sigmask(SIG_SETMASK, &all, nil)
      let short = String(decoding: name.utf8.prefix(15), as: UTF8.self)
      unsafe clinux_name_thread(short)
      body()
    }
  }
}
