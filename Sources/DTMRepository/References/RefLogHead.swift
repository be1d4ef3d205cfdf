internal import DTMSystem
internal import SystemPackage

/// A record that is ready to be appended.
struct PendingRecord {
  let body: RecordBody
  let bytes: [UInt8]
  let digest: ObjectID

  init(_ operation: OperationRecord, after state: RefLogState) throws(RepositoryError) {
    try self.init(RecordBody(operation: operation), after: state)
  }

  /// Throws `.invalidInput` when the record is longer than any reader takes.
  init(_ body: RecordBody, after state: RefLogState) throws(RepositoryError) {
    self.body = body
    let encoded = body.encoded()
    guard Segment.recordLength(body: encoded.count) <= Segment.maximumRecordLength else {
      throw RepositoryError(
        .invalidInput, "an operation of \(encoded.count) bytes is too large for the ref log")
    }
    (bytes, digest) = Segment.record(
      sequence: body.operation.sequence, previous: state.digest, body: encoded)
  }
}

/// The end of the newest segment, and the state there.
struct RefLogHead: Sendable {
  let number: Int
  private(set) var handles: SegmentHandles
  /// Where the next record begins.
  private(set) var offset: Int
  /// Where the segment's first record ends.
  private(set) var checkpointEnd: Int
  private(set) var state: RefLogState
  /// Whether both copies were found right and complete.
  private(set) var isFlawless: Bool
  /// The last record, where another process may have written it and died before it was flushed, or
  /// before it knew that the flush had failed: the page cache then holds it and the disk may not.
  /// Never a segment's first record: files are published whole.
  private(set) var unconfirmed: [UInt8] = []

  /// A segment that was just begun.
  init(number: Int, handles: SegmentHandles, first: PendingRecord) throws(RepositoryError) {
    self.number = number
    self.handles = handles
    offset = Segment.headerLength + first.bytes.count
    checkpointEnd = offset
    state = RefLogState()
    isFlawless = true
    state.apply(first.body, digest: first.digest, isFirstOfSegment: true)
  }

  private init(_ contents: SegmentContents) throws(RepositoryError) {
    number = contents.number
    handles = contents.handles
    offset = contents.bytes.count
    checkpointEnd = contents.frames.first.map { $0.offset + $0.length } ?? offset
    state = RefLogState()
    isFlawless = contents.flaws.isEmpty && !contents.isTorn
    for (index, frame) in contents.frames.enumerated() {
      let isLast = index == contents.frames.count - 1
      state.apply(
        try contents.body(frame, forState: !isLast),
        digest: frame.digest, isFirstOfSegment: index == 0)
    }
    if contents.frames.count > 1, let last = contents.frames.last {
      unconfirmed = Array(contents.bytes[last.offset...])
    }
  }

  /// Reads the newest segment whole.
  static func newest(
    _ segments: SegmentFiles
  ) throws(RepositoryError) -> (head: RefLogHead, contents: SegmentContents) {
    guard let number = try segments.numbers().last else {
      throw RepositoryError(.notFound, "there is no ref log", file: Segment.directory)
    }
    let contents = try segments.read(number, isNewest: true)
    return (try RefLogHead(contents), contents)
  }

  /// This head with a record more, which is in both copies.
  func appending(_ record: PendingRecord) throws(RepositoryError) -> RefLogHead {
    guard record.body.operation.sequence == state.sequence + 1 else {
      throw RepositoryError(
        .corrupt,
        "record \(record.body.operation.sequence) can't follow record \(state.sequence)")
    }
    var result = self
    result.offset += record.bytes.count
    result.unconfirmed = []
    result.state.apply(record.body, digest: record.digest, isFirstOfSegment: false)
    return result
  }

  /// This head when its last record is known to be on disk.
  func confirmed() -> RefLogHead {
    var result = self
    result.unconfirmed = []
    return result
  }

  /// Both copies were written anew, as this head says.
  mutating func published(_ handles: SegmentHandles) {
    self.handles = handles
    isFlawless = true
    unconfirmed = []
  }

  /// This head with what was appended since; nil when the segment has to be read from its start
  /// (a newer one began, the files were written anew, or what stands there is not what was read).
  func refreshed(_ segments: SegmentFiles) throws(RepositoryError) -> RefLogHead? {
    guard let copies = handles.both, try !segments.exists(number + 1) else { return nil }
    var parts: [SegmentCopy] = []
    for (copy, name) in zip(copies, SegmentCopyName.allCases) {
      let name = Segment.name(number, name)
      do throws(Errno) {
        if try copy.identity().links == 0 { return nil }
      } catch {
        throw RepositoryError(error, "stat", file: name)
      }
      let part = try segments.bytes(copy, from: offset - Segment.digestLength, name: name)
      // The last record must still be the one that was read: a failed append may have been taken
      // back, and another one have come in its place.
      guard part.bytes.starts(with: state.digest.bytes) else { return nil }
      parts.append(part)
    }
    if parts[0].end == offset && parts[1].end == offset { return self }
    var result = self
    var scanner = SegmentScanner(offset: offset, last: (state.sequence, state.digest))
    let damage = try scanner.scan(parts[0], parts[1]) {
      frame, bytes, at throws(RepositoryError) in
      let body = try SegmentFiles.body(frame, in: bytes, at: at, segment: number)
      result.state.apply(body, digest: frame.digest, isFirstOfSegment: false)
      result.unconfirmed = Array(bytes[at..<(at + frame.length)])
    }
    if damage != nil { return nil }
    result.offset = scanner.offset
    result.isFlawless = isFlawless && scanner.flaws.isEmpty && !scanner.isTorn
    return result
  }
}
