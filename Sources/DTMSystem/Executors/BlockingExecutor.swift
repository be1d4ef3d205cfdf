package import SystemPackage

/// A pool of threads on which tasks may block: file system work, waits for other threads.
///
/// Use it as `withTaskExecutorPreference(executor) { … }`. Threads are made when there is work and
/// none is idle, up to the limit; an idle one sleeps without a timer. Tasks beyond that queue up:
/// the bound is the number of tasks that the callers make.
package final class BlockingExecutor: TaskExecutor {
  private struct State {
    var jobs: [UnownedJob] = []
    var idleThreads = 0
    var threads: [DedicatedThread] = []
    var isShutDown = false
  }

  private let name: String
  private let threadLimit: Int
  private let monitor = Monitor(State())

  /// `threads`: how many run at most; the first is made at once, so that a system without a thread
  /// to give fails here and not later.
  package init(name: String, threads: Int) throws(Errno) {
    precondition(threads > 0, "a pool has at least one thread")
    self.name = name
    threadLimit = threads
    try monitor.withLock { state throws(Errno) in try startThread(&state) }
  }

  package func enqueue(_ job: consuming ExecutorJob) {
    let job = UnownedJob(job)
    monitor.update { state in
      precondition(!state.isShutDown, "a task was started on a pool that was shut down")
      state.jobs.append(job)
      if state.jobs.count > state.idleThreads, state.threads.count < threadLimit {
        // A refused thread is no loss: those that are there take the job later.
        do throws(Errno) { try startThread(&state) } catch { return }
      }
    }
  }

  /// Ends the threads when all tasks have run, and waits for them. No task may be started later.
  package func shutDown() {
    let threads = monitor.update { state in
      state.isShutDown = true
      let threads = state.threads
      state.threads = []
      return threads
    }
    for thread in threads { thread.join() }
  }

  private func startThread(_ state: inout State) throws(Errno) {
    let monitor = self.monitor
    // A thread holds the pool only while it runs a job: otherwise an abandoned pool would live on.
    let thread = try DedicatedThread(named: "\(name)-\(state.threads.count)") { [weak self] in
      while let job = BlockingExecutor.nextJob(monitor) {
        guard let self else { return }
        unsafe job.runSynchronously(on: self.asUnownedTaskExecutor())
      }
    }
    state.threads.append(thread)
  }

  private static func nextJob(_ monitor: Monitor<State>) -> UnownedJob? {
    monitor.withLock { $0.idleThreads += 1 }
    let next: UnownedJob?? = monitor.wait { state in
      if !state.jobs.isEmpty { return .some(state.jobs.removeFirst()) }
      return state.isShutDown ? .some(nil) : nil
    }
    monitor.withLock { $0.idleThreads -= 1 }
    return next ?? nil
  }
}
