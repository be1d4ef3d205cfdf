internal import DTMSystem
internal import SystemPackage

/// All that the views of one simulated file system share.
struct SimulatedState {
  typealias Kind = SimulatedFileOperations.Kind

  var disk = SimulatedDisk()
  var locks: [Int: (node: Int, kind: FileLock)] = [:]
  var nextHandle = 1
  var journal: [SimulatedFileOperations.Operation] = []
  var names = SplitMix(seed: 1)

  // What tests ask for.
  var failures: [Int: Errno] = [:]
  var failingKinds: [Kind: Errno] = [:]
  /// After this operation they fail.
  var failingSince = 0
  /// Handles whose flush failed, and the names of those among them that were flushed again.
  var failedFlushes: Set<Int> = []
  var repeatedFlushes: [String]?
  var stop: Int?
  var ignored: [Kind: Set<Int>] = [:]
  /// Locks on files of these names exclude nobody.
  var isFree: (@Sendable (String) -> Bool)?
  var revertsFailedFlushes = false
  var isRecording = false
  var instants: [CrashInstant] = []

  /// Counts an operation; returns the error that it is to fail with.
  mutating func begin(_ kind: Kind, _ name: String) -> Errno? {
    if isRecording { record() }
    journal.append(SimulatedFileOperations.Operation(kind: kind, name: name))
    if isStopped { return .ioError }
    if let error = failures[journal.count] { return error }
    return journal.count > failingSince ? failingKinds[kind] : nil
  }

  var isStopped: Bool { stop.map { journal.count > $0 } ?? false }

  /// Whether the operation that has just begun is to do nothing.
  func isIgnored(_ kind: Kind) -> Bool {
    guard let numbers = ignored[kind] else { return false }
    return numbers.contains(journal.count { $0.kind == kind })
  }

  /// Notes the disk as it is after the operations so far; one instant for as long as it stays.
  mutating func record() {
    if let last = instants.last, last.disk.version == disk.version {
      instants[instants.count - 1].operations = journal.count
    } else {
      instants.append(CrashInstant(operations: journal.count, disk: disk))
    }
  }

  func conflicts(_ kind: FileLock, _ file: SimulatedOpenFile) -> Bool {
    locks.contains { handle, lock in
      handle != file.handle && lock.node == file.node
        && (kind == .exclusive || lock.kind == .exclusive)
    }
  }
}

/// A simulated disk between two operations, as a crash of the machine finds it.
package struct CrashInstant: Sendable {
  /// How many operations there were before; those that follow changed something.
  package fileprivate(set) var operations: Int
  let disk: SimulatedDisk

  /// See `SimulatedFileOperations.crashStates`.
  package func states(
    limit: Int, using generator: inout SplitMix
  ) -> [SimulatedFileOperations] {
    disk.crashStates(limit: limit, using: &generator).map { SimulatedFileOperations($0) }
  }

  /// How many states there are (equal ones counted apart); at most `limit`.
  package func count(limit: Int) -> Int { disk.crashCount(limit: limit) }

  /// What the next process sees when all processes are killed then.
  package func afterKill() -> SimulatedFileOperations { SimulatedFileOperations(disk) }
}
