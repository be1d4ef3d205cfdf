package import DTMSystem
internal import Synchronization
internal import SystemPackage

/// The ref log: the commit point, the refs, the undo history and the audit trail in one.
///
/// Every record stands in two copies, chained by digests, in segments that each begin with a
/// checkpoint (format: The ref log). What one copy lost is read from the other and written anew by
/// the next writer.
///
/// At most one record is under way at any time: a record is written when the one before is known to
/// be on disk in both copies. Whoever appends notes in the lock file what is; where the note does
/// not say so (the last writer was killed, or a crash lost the note) the record is written and
/// flushed once more.
///
/// May be used from any thread; appending blocks on a kernel lock and on flushes, reading never
/// waits. The state is cached: reading again costs six system calls when nothing changed.
package final class RefLog: Sendable {
  let segments: SegmentFiles
  let segmentLimit: Int
  let cache = Mutex(Cache())
  let factIndex = Mutex(FactIndex())

  /// What is known since the last read.
  struct Cache {
    var head: RefLogHead?
    /// A failed append could neither be made good nor marked: this process must see to it.
    var mustRewrite = false
  }

  /// A new segment begins when the old one would grow above this many bytes, and above four times
  /// its checkpoint. Every process that opens the log reads one: about 160 snapshots.
  package static let defaultSegmentLimit = 64 << 10
  static let lockName = "locks/refs"
  /// The kind of the record that a repair begins a segment with.
  static let repairKind = "repair"
  /// In that record's details: the number of a segment that is given up; once for each.
  static let goneDetail = "gone"
  /// The kind of the record that says what a collection gives up, and its detail of up to when: seconds, a
  /// point, nanoseconds.
  static let collectKind = "collect"
  static let cutoffDetail = "cutoff"
  /// The fact of how many microseconds a snapshot took, in decimal text: in the record that it came
  /// with, and in no later one.
  package static let durationFact = "durationMicroseconds"
  /// The fact that a snapshot was taken away on purpose; its value is empty where that was taken back.
  package static let prunedFact = "pruned"
  /// The fact, of a snapshot that was written again without something, which other it was: its id in hex.
  package static let rewrittenFact = "rewrittenFrom"
  /// The fact, of a snapshot that is lost, which other came before it: 32 bytes.
  package static let predecessorFact = "predecessor"
  private static let lockDirectory = "locks"
  /// A reader may meet a writer at work; what it takes for damage must stay.
  private static let readAttempts = 3

  /// The ref log of a repository that is there; nothing is read yet.
  ///
  /// `segmentLimit`: for tests of rotation.
  package init(
    files: any FileOperations, repository: PackID, segmentLimit: Int = defaultSegmentLimit
  ) {
    segments = SegmentFiles(files: files, repository: repository)
    self.segmentLimit = segmentLimit
  }

  private var files: any FileOperations { segments.files }

  // MARK: Reading

  /// What the log says now.
  ///
  /// Takes no lock and never waits. Throws `.notFound` when there is no log, `.corrupt` when it is
  /// damaged in both copies.
  package func read() throws(RepositoryError) -> RefLogState {
    var attempt = 1
    while true {
      do {
        return try refreshedHead().state
      } catch  where error.code == .corrupt && attempt < Self.readAttempts {
        attempt += 1
      }
    }
  }

  private func refreshedHead() throws(RepositoryError) -> RefLogHead {
    if let cached = cache.withLock({ $0.head }), let head = try cached.refreshed(segments) {
      cache.withLock { $0.head = head }
      return head
    }
    let head = try RefLogHead.newest(segments).head
    cache.withLock { $0.head = head }
    return head
  }

  // MARK: Creating

  /// Makes the log of a new repository, with its directories `refs` and `locks`.
  ///
  /// After return the first record and the directories are durable (the root directory is
  /// synchronised too). `first.moves` become the checkpoint's refs. Throws `.exists` when there is a
  /// log.
  package static func create(
    files: any FileOperations, repository: PackID, first: RecordDraft, at time: Timestamp
  ) throws(RepositoryError) -> RefLogState {
    for directory in [Segment.directory, lockDirectory] {
      do throws(Errno) {
        try files.makeDirectory(directory, mode: 0o700)
      } catch .fileExists {
        continue
      } catch {
        throw RepositoryError(error, "create", file: directory)
      }
    }
    do throws(Errno) {
      try files.synchronizeDirectory("")
    } catch {
      throw RepositoryError(error, "synchronize", file: ".")
    }
    let log = RefLog(files: files, repository: repository)
    let lock = try log.lock()
    defer { withExtendedLifetime(lock) {} }
    guard try log.segments.numbers().isEmpty else {
      throw RepositoryError(.exists, "there is a ref log already", file: Segment.directory)
    }
    var body = RecordBody(operation: try RefLogState().operation(first, at: time))
    for move in body.operation.moves { body.refs[move.ref] = move.new }
    body.operation.moves = []
    let head = try log.begin(Segment.firstNumber, with: body, after: RefLogState())
    log.note(head, in: lock)
    return head.state
  }

  // MARK: Locking

  /// Locks `locks/refs`; the lock ends with the returned file.
  func lock(_ kind: FileLock = .exclusive) throws(RepositoryError) -> any OpenFile {
    do throws(Errno) {
      while true {
        let file = try openLockFile()
        _ = try file.lock(kind, wait: true)
        // Lock files are caches that may be deleted: a lock on a deleted one excludes nobody.
        if try file.identity().links > 0 { return file }
      }
    } catch {
      throw RepositoryError(error, "lock", file: Self.lockName)
    }
  }

  private func openLockFile() throws(Errno) -> any OpenFile {
    while true {
      do throws(Errno) {
        return try files.open(Self.lockName, writable: true)
      } catch .noSuchFileOrDirectory {
        do throws(Errno) {
          return try files.create(Self.lockName, mode: 0o600)
        } catch .fileExists {
          continue
        }
      }
    }
  }
}
