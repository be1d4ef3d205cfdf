internal import DTMSystem
internal import SystemPackage

/// Runs several processes over one simulated file system, one operation at a time, in an order that a
/// seed draws: the same seed, the same order.
package final class Interleaving: Sendable {
  private struct State {
    var active: Set<Int> = []
    /// Those that wait for a lock.
    var blocked: Set<Int> = []
    var current = -1
    var isDeadlocked = false
    var generator: SplitMix
    /// How many operations in a row one process makes on the average.
    let burst: Int

    /// One at a time shows races of single operations; long bursts let one process come to its end
    /// while another stands still between two.
    init(_ generator: SplitMix) {
      self.generator = generator
      burst = [1, 8, 64][self.generator.below(3)]
    }

    mutating func choose() {
      let ready = active.subtracting(blocked).sorted()
      if ready.contains(current) && !generator.oneIn(burst) { return }
      if ready.isEmpty {
        isDeadlocked = !active.isEmpty
        current = -1
      } else {
        current = ready[generator.below(ready.count)]
      }
    }
  }

  private let state: Monitor<State>

  private init(_ generator: SplitMix) {
    state = Monitor(State(generator))
  }

  /// Runs each body on a thread of its own, with its view of the files; returns when all have ended.
  ///
  /// `kills`: after how many operations of its own a process is killed; its locks end with what the
  /// body holds. Returns false when all waited for one another: then operations throw `.deadlock`.
  package static func run(
    _ files: SimulatedFileOperations, using generator: inout SplitMix, kills: [Int: Int] = [:],
    _ bodies: [@Sendable (SimulatedFileOperations) -> Void]
  ) throws -> Bool {
    let interleaving = Interleaving(SplitMix(seed: generator.next()))
    interleaving.state.withLock { $0.active = Set(bodies.indices) }
    var threads: [DedicatedThread] = []
    for (process, body) in bodies.enumerated() {
      let view = files.view(
        SimulatedTurn(interleaving: interleaving, process: process, limit: kills[process]))
      threads.append(
        try DedicatedThread(named: "process \(process)") {
          interleaving.wait(process)
          body(view)
          interleaving.end(process)
        })
    }
    interleaving.state.update { $0.choose() }
    for thread in threads { thread.join() }
    return interleaving.state.withLock { !$0.isDeadlocked }
  }

  /// Lets another process go on, or the same; returns when it is this one's turn again.
  func pass(_ process: Int) {
    state.update { $0.choose() }
    wait(process)
  }

  /// Waits until a lock was dropped. False when nobody is left who could drop one.
  func block(_ process: Int) -> Bool {
    state.update {
      $0.blocked.insert(process)
      $0.choose()
    }
    wait(process)
    return state.withLock { !$0.isDeadlocked }
  }

  func unblock() { state.update { $0.blocked = [] } }

  private func wait(_ process: Int) {
    _ = state.wait { $0.current == process || $0.isDeadlocked ? true : nil }
  }

  private func end(_ process: Int) {
    state.update {
      $0.active.remove(process)
      $0.choose()
    }
  }
}

/// One process of an interleaving.
final class SimulatedTurn: Sendable {
  private let interleaving: Interleaving
  private let process: Int
  private let limit: Int?
  private let operations = Monitor(0)

  init(interleaving: Interleaving, process: Int, limit: Int?) {
    self.interleaving = interleaving
    self.process = process
    self.limit = limit
  }

  /// Before each operation. Throws when the process was killed.
  func pass() throws(Errno) {
    let count = operations.withLock {
      $0 += 1
      return $0
    }
    if let limit, count > limit { throw .canceled }
    interleaving.pass(process)
  }

  func block() -> Bool { interleaving.block(process) }

  func unblock() { interleaving.unblock() }
}
