internal import DTMSystem
package import SystemPackage

/// What tests ask for.
extension SimulatedFileOperations {
  /// All operations so far, those that failed included; number `n` is at index `n - 1`.
  package var journal: [Operation] { state.withLock { $0.journal } }

  /// Lets operation `number` (1 is the first of all) fail; a failing write leaves the first half of
  /// its bytes, a failing synchronisation leaves in doubt what it was to write.
  package func fail(operation number: Int, with error: Errno) {
    state.withLock { $0.failures[number] = error }
  }

  /// Lets every operation of some kinds fail, as on a full disk: from now on, or after so many
  /// operations more.
  package func fail(every kinds: Set<Kind>, with error: Errno, after count: Int = 0) {
    state.withLock { state in
      state.failingSince = state.journal.count + count
      for kind in kinds { state.failingKinds[kind] = error }
    }
  }

  /// Files that were synchronised, from `recordFlushes` on, through an open file whose synchronisation
  /// had failed.
  package var repeatedFlushes: [String] { state.withLock { $0.repeatedFlushes ?? [] } }

  package func recordFlushes() { state.withLock { $0.repeatedFlushes = [] } }

  /// After a failed synchronisation the running system reads the old bytes, as on btrfs, instead of
  /// the new ones.
  package func revertFailedFlushes() {
    state.withLock { $0.revertsFailedFlushes = true }
  }

  /// Lets all operations after `number` fail without any effect: the machine stops there.
  package func stop(after number: Int) {
    state.withLock { $0.stop = number }
  }

  /// Lets the `number`-th (from 1, over the whole journal) operation of a kind succeed without
  /// doing anything.
  package func ignore(_ kind: Kind, number: Int) {
    state.withLock { _ = $0.ignored[kind, default: []].insert(number) }
  }

  /// Lets locks on the files whose names (a file without a name has its directory's) `isFree` tells
  /// exclude nobody.
  package func ignoreLocks(_ isFree: @escaping @Sendable (String) -> Bool) {
    state.withLock { $0.isFree = isFree }
  }

  /// Ends all failures that were asked for.
  package func clearFailures() {
    state.withLock {
      $0.failures = [:]
      $0.failingKinds = [:]
      $0.stop = nil
      $0.ignored = [:]
      $0.isFree = nil
    }
  }

  /// Keeps, from now on, the disk between any two operations.
  package func recordInstants() {
    state.withLock { $0.isRecording = true }
  }

  /// The disk between any two operations since `recordInstants`, now included; instants at which
  /// nothing has changed since the one before are one, with the later number of operations.
  package func instants() -> [CrashInstant] {
    state.withLock { state in
      state.record()
      return state.instants
    }
  }

  /// What the next process sees when all processes were killed now: nothing that was written is
  /// lost, no lock is left. A copy with a journal of its own.
  package func afterKill() -> SimulatedFileOperations {
    SimulatedFileOperations(state.withLock { $0.disk })
  }

  /// What a crash of the machine may leave now: all states where the combinations are at most
  /// `limit`, else about `limit` drawn ones (nothing and everything pending written among them).
  /// No two are alike. Each is settled and has a journal of its own.
  package func crashStates(
    limit: Int, using generator: inout SplitMix
  ) -> [SimulatedFileOperations] {
    state.withLock { $0.disk }.crashStates(limit: limit, using: &generator)
      .map { SimulatedFileOperations($0) }
  }

  /// Every path (a directory's ends with `/`) and its bytes, as the running system sees them.
  package func paths() -> [String: [UInt8]] { state.withLock { $0.disk.paths() } }

  /// Puts bytes into a file, durable at once: damage, or a fixture. Makes the file where there is
  /// none; nil removes it.
  package func plant(_ bytes: [UInt8]?, at name: String) throws(Errno) {
    try state.withLock { state throws(Errno) in
      if let node = try? state.disk.file(name) {
        if let bytes {
          state.disk.changeContent(node) { $0 = SimulatedContent(settled: bytes) }
        } else {
          try state.disk.remove(name)
        }
      } else if let bytes {
        let node = state.disk.makeFile(mode: 0o600)
        state.disk.changeContent(node) { $0 = SimulatedContent(settled: bytes) }
        try state.disk.link(node, as: name)
      }
      let directory = name.lastIndex(of: "/").map { String(name[..<$0]) } ?? ""
      try state.disk.synchronizeDirectory(directory)
    }
  }
}
