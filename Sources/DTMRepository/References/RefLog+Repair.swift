internal import DTMSystem
internal import Synchronization
internal import SystemPackage

/// How far the ref log is damaged beyond mending.
struct RefLogLoss {
  /// Segments that no copy has whole, or that are not of this log.
  var gone: Set<Int> = []
  /// Whether what the refs are now can't be told from the log alone.
  var isEndLost = false

  var isAny: Bool { isEndLost || !gone.isEmpty }
}

/// Beginning anew where no copy has what is needed.
extension RefLog {
  /// What is lost in both copies.
  func loss() throws(RepositoryError) -> RefLogLoss {
    let damages: [RefLogDamage]
    let newest: Int
    do throws(RepositoryError) { (damages, newest) = try examined() } catch {
      guard error.code == .notFound else { throw error }
      return RefLogLoss(isEndLost: true)
    }
    var loss = RefLogLoss()
    for damage in damages where damage.kind == .lost {
      let number = damage.segment
      if damage.isEndLost {
        loss.isEndLost = true
      } else if try !isWhole(number, isNewest: number == newest) {
        loss.gone.insert(number)
        loss.isEndLost = loss.isEndLost || number == newest
      } else if number > Segment.firstNumber {
        // Whole, but no continuation of the one before: the newer one is the log.
        loss.gone.insert(number - 1)
      } else {
        loss.gone.insert(number)
        loss.isEndLost = true
      }
    }
    return loss
  }

  private func isWhole(_ number: Int, isNewest: Bool) throws(RepositoryError) -> Bool {
    do throws(RepositoryError) {
      let contents = try segments.read(number, isNewest: isNewest)
      for frame in contents.frames { _ = try contents.body(frame) }
      return true
    } catch {
      guard error.code == .corrupt || error.code == .notFound else { throw error }
      return false
    }
  }

  /// Begins a segment that says what everything is, as the log's new end.
  ///
  /// `gone`: segments that are given up with it: nobody reads them any more, and they may be moved away.
  /// After return it is durable. The caller holds the lock.
  func beginAnew(
    _ body: RecordBody, number: Int, gone: Set<Int>, after state: RefLogState,
    in lock: any OpenFile
  ) throws(RepositoryError) -> RefLogState {
    var body = body
    body.operation.kind = Self.repairKind
    body.operation.sequence = state.sequence + 1
    body.operation.moves = []
    body.operation.details += gone.sorted().map { (Self.goneDetail, String($0)) }
    let head = try begin(number, with: body, after: state)
    cache.withLock { $0.head = head }
    factIndex.withLock { $0 = FactIndex() }
    note(head, in: lock)
    try synchronizeNote(in: lock)
    return head.state
  }

  /// Notes the end of the log as it is, before segments are moved away that the note may name a record
  /// of.
  func renewNote() throws(RepositoryError) {
    let lock = try lock()
    defer { withExtendedLifetime(lock) {} }
    note(try RefLogHead.newest(segments).head, in: lock)
    try synchronizeNote(in: lock)
  }

  /// A note that is lost in a crash would name a record of a segment that is moved away next.
  private func synchronizeNote(in lock: any OpenFile) throws(RepositoryError) {
    try onFile(Self.lockName, "fdatasync") { () throws(Errno) in try lock.synchronizeData() }
  }
}
