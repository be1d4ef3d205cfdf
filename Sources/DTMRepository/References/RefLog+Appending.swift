package import DTMSystem
internal import Synchronization
internal import SystemPackage

/// Appending, and making good what went wrong.
extension RefLog {
  /// Appends a record: the commit point. After return it is on disk in both copies.
  ///
  /// Takes `locks/refs` (waits for a living holder). Cost: two parallel flushes; a segment's end,
  /// a flaw found or a failed write adds writing the segment anew. Throws `.conflict` when a ref is
  /// not what the draft takes it for (nothing is written then), and the errors of writing: then the
  /// record may be there or not, and everything acknowledged before is.
  package func append(
    _ draft: RecordDraft, at time: Timestamp
  ) throws(RepositoryError) -> RefLogState {
    let lock = try lock()
    defer { withExtendedLifetime(lock) {} }
    var head = try headForWriting(lock)
    cache.withLock { $0.head = head }
    var record = try PendingRecord(try head.state.operation(draft, at: time), after: head.state)
    if head.offset + record.bytes.count > max(segmentLimit, 4 * head.checkpointEnd) {
      head = try begin(
        head.number + 1, with: head.state.checkpoint(at: time, pid: draft.pid, uid: draft.uid),
        after: head.state)
      record = try PendingRecord(try head.state.operation(draft, at: time), after: head.state)
    }
    head = try write(record, to: head)
    cache.withLock { $0.head = head }
    note(head, in: lock)
    return head.state
  }

  /// Writes anew every segment that has a flaw in one copy, and returns what was found, as
  /// `verify` does. Damage in both copies stays.
  package func mend() throws(RepositoryError) -> [RefLogDamage] {
    let lock = try lock()
    defer { withExtendedLifetime(lock) {} }
    let damages = try examined().damages
    for number in Set(damages.filter { $0.kind != .lost }.map(\.segment)).sorted() {
      let isLost = damages.contains {
        $0.segment == number && $0.kind == .lost && !$0.isEndLost
      }
      if isLost { continue }
      try segments.makeMarker()
      let isNewest = try segments.numbers().last == number
      _ = try segments.publish(number, try segments.read(number, isNewest: isNewest).bytes)
      segments.removeMarker()
    }
    cache.withLock { $0.head = nil }
    return damages
  }

  /// The log's end as a writer needs it: both copies right, durable and open.
  private func headForWriting(_ lock: any OpenFile) throws(RepositoryError) -> RefLogHead {
    let head = try flawlessHead()
    guard head.handles.isWritable else {
      throw RepositoryError(
        .permissionDenied, "the ref log can't be written", file: Segment.name(head.number, .a))
    }
    return try isNoted(head, in: lock) ? head.confirmed() : try confirmed(head)
  }

  private func flawlessHead() throws(RepositoryError) -> RefLogHead {
    let (cached, mustRewrite) = cache.withLock { ($0.head, $0.mustRewrite) }
    if mustRewrite { return try rewriteNewest(adding: nil) }
    if try segments.hasMarker() { return try rewriteNewest(adding: nil) }
    if let cached, cached.isFlawless, let head = try cached.refreshed(segments), head.isFlawless {
      return head
    }
    let head = try RefLogHead.newest(segments).head
    return head.isFlawless ? head : try rewriteNewest(adding: nil)
  }

  /// Notes in the lock file that the last record is on disk: its digest and a checksum. Not
  /// synchronised: after a crash of the machine what can be read of the log is on disk in any case.
  func note(_ head: RefLogHead, in lock: any OpenFile) {
    do throws(Errno) {
      try lock.write(Self.noteBytes(head.state.digest), at: 0)
    } catch {
      // Then the next process writes and flushes the record once more.
    }
  }

  private static func noteBytes(_ digest: ObjectID) -> [UInt8] {
    var writer = ByteWriter(reserving: ObjectID.length + 8)
    writer.id(digest)
    writer.u64(Digest.checksum(writer.bytes.span))
    return writer.bytes
  }

  /// The digest of a record that was on disk when it was noted; nil without a whole note. A log that
  /// does not have it has lost its end.
  func noted() throws(RepositoryError) -> ObjectID? {
    do throws(Errno) {
      let file = try segments.files.open(Self.lockName, writable: false)
      let bytes = try file.read(at: 0, count: ObjectID.length + 8)
      guard let digest = ObjectID(bytes.prefix(ObjectID.length)),
        bytes == Self.noteBytes(digest)
      else { return nil }
      return digest
    } catch {
      if error == .noSuchFileOrDirectory { return nil }
      throw RepositoryError(error, "read", file: Self.lockName)
    }
  }

  private func isNoted(
    _ head: RefLogHead, in lock: any OpenFile
  ) throws(RepositoryError) -> Bool {
    if head.unconfirmed.isEmpty { return true }
    do throws(Errno) {
      return try lock.read(at: 0, count: ObjectID.length) == head.state.digest.bytes
    } catch {
      throw RepositoryError(error, "read", file: Self.lockName)
    }
  }

  /// This head with its last record on disk for certain: no two records are ever under way, which
  /// is what lets a reader tell a torn record from damage.
  private func confirmed(_ head: RefLogHead) throws(RepositoryError) -> RefLogHead {
    if head.unconfirmed.isEmpty { return head }
    guard let copies = head.handles.both else { return try rewriteNewest(adding: nil) }
    do throws(Errno) {
      for copy in copies {
        try copy.write(head.unconfirmed, at: head.offset - head.unconfirmed.count)
      }
      try segments.files.synchronizeData(copies)
    } catch _ {
      return try rewriteNewest(adding: nil)
    }
    return head.confirmed()
  }

  private func write(
    _ record: PendingRecord, to head: RefLogHead
  ) throws(RepositoryError) -> RefLogHead {
    guard let copies = head.handles.both else { return try rewriteNewest(adding: record) }
    do throws(Errno) {
      for copy in copies { try copy.write(record.bytes, at: head.offset) }
      try segments.files.synchronizeData(copies)
    } catch {
      return try recover(record, head, from: error)
    }
    return try head.appending(record)
  }

  /// Makes a failed append good in new files, or takes it back as far as that goes. The failed
  /// descriptors are not used again: after a failed flush the kernel calls pages clean that are
  /// not on disk.
  private func recover(
    _ record: PendingRecord, _ head: RefLogHead, from error: Errno
  ) throws(RepositoryError) -> RefLogHead {
    cache.withLock {
      $0.head = nil
      $0.mustRewrite = true
    }
    do throws(RepositoryError) {
      return try rewriteNewest(adding: record, needsMarker: false)
    } catch _ {
      // The first error is what the caller hears.
    }
    for copy in SegmentCopyName.allCases { cut(Segment.name(head.number, copy), to: head.offset) }
    throw RepositoryError(error, "append to", file: Segment.name(head.number, .a))
  }

  /// Takes the end of a copy back, so that a record that was reported as failed does not come up
  /// later. It may: the marker, or `mustRewrite`, makes the next writer see to it in any case.
  private func cut(_ name: String, to offset: Int) {
    do throws(Errno) {
      let file = try segments.files.open(name, writable: true)
      if try file.size() > offset {
        try file.truncate(to: offset)
        try file.synchronizeData()
      }
    } catch {
      return
    }
  }

  /// Reads the newest segment again, writes both copies anew from what is right in either, and
  /// adds the record where it is not in them yet. The lock is held.
  private func rewriteNewest(
    adding record: PendingRecord?, needsMarker: Bool = true
  ) throws(RepositoryError) -> RefLogHead {
    do throws(RepositoryError) {
      try segments.makeMarker()
    } catch {
      if needsMarker { throw error }
    }
    var (head, contents) = try RefLogHead.newest(segments)
    if let record, head.state.digest != record.digest {
      head = try head.appending(record)
      contents.bytes += record.bytes
    }
    head.published(try segments.publish(head.number, contents.bytes))
    segments.removeMarker()
    cache.withLock { $0.mustRewrite = false }
    return head
  }

  /// Begins a segment with a checkpoint. The lock is held.
  func begin(
    _ number: Int, with body: RecordBody, after state: RefLogState
  ) throws(RepositoryError) -> RefLogHead {
    let record = try PendingRecord(body, after: state)
    try segments.makeMarker()
    let header = Segment.header(number, repository: segments.repository)
    let handles = try segments.publish(number, header + record.bytes)
    segments.removeMarker()
    return try RefLogHead(number: number, handles: handles, first: record)
  }
}
