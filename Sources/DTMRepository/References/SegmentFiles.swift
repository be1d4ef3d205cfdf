internal import DTMSystem
internal import SystemPackage

/// A segment as it was read whole: each record from a copy that has it right.
struct SegmentContents {
  let number: Int
  /// The header and all whole records, as both copies should be.
  var bytes: [UInt8]
  var frames: [RecordFrame]
  var flaws: [SegmentFlaw]
  var isTorn: Bool
  /// The open copies, nil for one that is missing.
  let handles: SegmentHandles

  /// `forState`: see `RecordBody.decodeForState`.
  func body(
    _ frame: RecordFrame, forState: Bool = false
  ) throws(RepositoryError) -> RecordBody {
    try SegmentFiles.body(
      frame, in: bytes, at: frame.offset, segment: number, forState: forState)
  }
}

/// The open files of a segment's copies.
struct SegmentHandles: Sendable {
  var a: (any OpenFile)?
  var b: (any OpenFile)?
  /// Whether both could be opened for writing.
  var isWritable: Bool

  /// Both files, where there are both.
  var both: [any OpenFile]? {
    guard let a, let b else { return nil }
    return [a, b]
  }
}

/// Reads and publishes the files of segments.
struct SegmentFiles: Sendable {
  let files: any FileOperations
  let repository: PackID

  // MARK: Finding

  /// The numbers of all segments that have a copy, ascending.
  func numbers() throws(RepositoryError) -> [Int] {
    do throws(Errno) {
      return Set(try files.list(Segment.directory).compactMap(Segment.number(ofName:))).sorted()
    } catch {
      throw RepositoryError(error, "list", file: Segment.directory)
    }
  }

  /// Opens a copy, for writing where that is allowed; nil when there is none.
  func openCopy(
    _ number: Int, _ copy: SegmentCopyName
  ) throws(RepositoryError) -> (file: any OpenFile, isWritable: Bool)? {
    let name = Segment.name(number, copy)
    do throws(Errno) {
      do throws(Errno) {
        return (try files.open(name, writable: true), true)
      } catch .permissionDenied, .readOnlyFileSystem {
        return (try files.open(name, writable: false), false)
      }
    } catch .noSuchFileOrDirectory {
      return nil
    } catch {
      throw RepositoryError(error, "open", file: name)
    }
  }

  /// Whether a segment of that number has begun.
  func exists(_ number: Int) throws(RepositoryError) -> Bool {
    for copy in SegmentCopyName.allCases where try openCopy(number, copy) != nil { return true }
    return false
  }

  /// A copy's bytes from an offset to its end.
  func bytes(
    _ file: any OpenFile, from offset: Int, name: String
  ) throws(RepositoryError) -> SegmentCopy {
    do throws(Errno) {
      let size = try file.size()
      if size <= offset { return SegmentCopy(bytes: [], start: offset) }
      return SegmentCopy(bytes: try file.read(at: offset, count: size - offset), start: offset)
    } catch {
      throw RepositoryError(error, "read", file: name)
    }
  }

  // MARK: Reading whole

  /// Reads and checks both copies of a segment.
  ///
  /// Throws `.notFound` when there is none, `.corrupt` when it is damaged in both copies.
  func read(_ number: Int, isNewest: Bool) throws(RepositoryError) -> SegmentContents {
    let (contents, damage) = try examine(number, isNewest: isNewest)
    if let damage { throw error(damage, in: number) }
    return contents
  }

  /// Reads both copies of a segment as far as they go; what no copy has is the damage.
  func examine(
    _ number: Int, isNewest: Bool
  ) throws(RepositoryError) -> (SegmentContents, SegmentDamage?) {
    let a = try openCopy(number, .a)
    let b = try openCopy(number, .b)
    guard a != nil || b != nil else {
      throw RepositoryError(
        .notFound, "segment \(number) of the ref log is missing", file: Segment.name(number, .a))
    }
    var contents = SegmentContents(
      number: number, bytes: Segment.header(number, repository: repository), frames: [], flaws: [],
      isTorn: false,
      handles: SegmentHandles(
        a: a?.file, b: b?.file, isWritable: (a?.isWritable ?? true) && (b?.isWritable ?? true)))
    let copies = (
      try copy(.a, of: &contents, a?.file), try copy(.b, of: &contents, b?.file)
    )
    guard contents.flaws.count < 2 else {
      let reasons = contents.flaws.map { "\($0.message) (copy \($0.copy))" }
      return (
        contents,
        SegmentDamage(offset: 0, sequence: nil, message: reasons.joined(separator: ", "))
      )
    }
    var scanner = SegmentScanner(offset: Segment.headerLength, last: nil, isNewest: isNewest)
    contents.bytes.reserveCapacity(max(copies.0.bytes.count, copies.1.bytes.count))
    let damage = scanner.scan(copies.0, copies.1) { frame, source, at in
      contents.bytes += source[at..<(at + frame.length)]
      contents.frames.append(frame)
    }
    contents.flaws += scanner.flaws
    contents.isTorn = scanner.isTorn
    return (contents, damage ?? beginning(of: contents))
  }

  /// Reads one copy and checks its header; a copy that is another segment's counts as missing.
  private func copy(
    _ copy: SegmentCopyName, of contents: inout SegmentContents, _ file: (any OpenFile)?
  ) throws(RepositoryError) -> SegmentCopy {
    let empty = SegmentCopy(bytes: [], start: 0)
    var found = empty
    var message: String?
    if let file {
      found = try bytes(file, from: 0, name: Segment.name(contents.number, copy))
      let header = found.bytes.prefix(Segment.headerLength)
      if header.count < Segment.headerLength {
        message = "the copy is \(found.bytes.count) bytes long"
      } else if !header.elementsEqual(contents.bytes) {
        if Segment.isHeader(header) {
          message = "the copy is of another segment or repository"
          found = empty
        } else {
          message = "the header is damaged"
        }
      }
    } else {
      message = "the copy is missing"
    }
    if let message {
      contents.flaws.append(
        SegmentFlaw(copy: copy, offset: 0, sequences: nil, message: message))
    }
    return found
  }

  /// Files are published whole, so a segment without a first record is damaged.
  private func beginning(of contents: SegmentContents) -> SegmentDamage? {
    guard let first = contents.frames.first else {
      return SegmentDamage(
        offset: Segment.headerLength, sequence: nil, message: "the first record is missing")
    }
    if first.sequence == 0 || (first.sequence == 1) != (first.previous == Self.noDigest) {
      return SegmentDamage(
        offset: first.offset, sequence: first.sequence,
        message: "record \(first.sequence) names a wrong record before it")
    }
    return nil
  }

  private static let noDigest = ObjectID(words: (0, 0, 0, 0))

  func error(_ damage: SegmentDamage, in number: Int) -> RepositoryError {
    let record = damage.sequence.map { "record \($0) " } ?? ""
    return RepositoryError(
      .corrupt,
      "segment \(number) of the ref log, \(record)at byte \(damage.offset): \(damage.message)",
      file: Segment.name(number, .a))
  }

  static func body(
    _ frame: RecordFrame, in bytes: [UInt8], at: Int, segment: Int, forState: Bool = false
  ) throws(RepositoryError) -> RecordBody {
    let start = at + Segment.recordHeaderLength
    let reader = ByteReader(bytes, from: start, to: start + frame.bodyLength)
    do throws(DecodingFailure) {
      return forState
        ? try RecordBody.decodeForState(reader, sequence: frame.sequence)
        : try RecordBody.decode(reader, sequence: frame.sequence)
    } catch {
      throw RepositoryError(
        error, of: "segment \(segment) of the ref log, record \(frame.sequence)")
    }
  }

  // MARK: Writing whole

  /// Makes both copies anew with these bytes: written, synchronised, renamed into place, the
  /// directory synchronised. Returns the open files.
  func publish(_ number: Int, _ bytes: [UInt8]) throws(RepositoryError) -> SegmentHandles {
    let names = SegmentCopyName.allCases.map { Segment.name(number, $0) }
    do throws(Errno) {
      var opened: [any OpenFile] = []
      for name in names {
        let file = try createTemporary(for: name)
        opened.append(file)
        try file.write(bytes, at: 0)
      }
      try files.synchronizeData(opened)
      for name in names { try files.rename(Self.temporary(name), to: name) }
      try files.synchronizeDirectory(Segment.directory)
      return SegmentHandles(a: opened[0], b: opened[1], isWritable: true)
    } catch {
      names.forEach(discardTemporary)
      throw RepositoryError(error, "write", file: names[0])
    }
  }

  private static func temporary(_ name: String) -> String { name + ".new" }

  /// What an earlier writer left there is replaced: the caller holds the lock.
  private func createTemporary(for name: String) throws(Errno) -> any OpenFile {
    let name = Self.temporary(name)
    do throws(Errno) {
      return try files.create(name, mode: 0o600)
    } catch .fileExists {
      try files.remove(name)
      return try files.create(name, mode: 0o600)
    }
  }

  private func discardTemporary(for name: String) {
    do throws(Errno) {
      try files.remove(Self.temporary(name))
    } catch {
      // It was not made or has its name already; a leftover is replaced by the next writer.
    }
  }

  // MARK: The marker

  /// A file whose presence forces the next writer to write the newest segment anew: somebody may
  /// have died between making a change and knowing that it is on disk. A crash of the machine may
  /// lose it; then what is read is what is on disk, and it is not needed.
  private static let marker = "\(Segment.directory)/rewrite"

  func hasMarker() throws(RepositoryError) -> Bool {
    do throws(Errno) {
      _ = try files.open(Self.marker, writable: false)
      return true
    } catch .noSuchFileOrDirectory {
      return false
    } catch {
      throw RepositoryError(error, "open", file: Self.marker)
    }
  }

  func makeMarker() throws(RepositoryError) {
    do throws(Errno) {
      _ = try files.create(Self.marker, mode: 0o600)
    } catch .fileExists {
      return
    } catch {
      throw RepositoryError(error, "create", file: Self.marker)
    }
  }

  func removeMarker() {
    do throws(Errno) {
      try files.remove(Self.marker)
    } catch {
      // The next writer writes the segment anew once more than needed.
    }
  }
}
