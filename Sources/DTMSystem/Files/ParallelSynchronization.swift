package import SystemPackage

/// Synchronising several files at the same time, so that it takes as long as the slowest alone.
package enum ParallelSynchronization {
  /// fdatasync(2) of every file; returns each one's error, nil where it went well, in their order.
  ///
  /// Each file but the last gets a thread for the call (about 30 µs, against milliseconds of a
  /// flush); where the system gives none, its turn comes in the calling thread.
  package static func synchronizeData(_ files: [any OpenFile]) -> [Errno?] {
    guard let last = files.last else { return [] }
    let errors = Monitor([Errno?](repeating: nil, count: files.count))
    var threads: [DedicatedThread] = []
    for (index, file) in files.dropLast().enumerated() {
      let work: @Sendable () -> Void = {
        let error = outcome(of: file)
        errors.withLock { $0[index] = error }
      }
      do {
        threads.append(try DedicatedThread(named: "synchronize", work))
      } catch {
        work()
      }
    }
    let lastError = outcome(of: last)
    for thread in threads { thread.join() }
    return errors.withLock { errors in
      errors[errors.count - 1] = lastError
      return errors
    }
  }

  private static func outcome(of file: any OpenFile) -> Errno? {
    do {
      try file.synchronizeData()
      return nil
    } catch {
      return error
    }
  }
}
