internal import DTMSystem
internal import SystemPackage

/// A pack that is open for reading, sealed or live.
final class PackFile {
  let id: PackID
  let kind: PackKind
  /// Relative to the repository's root, where it was opened.
  let name: String
  let file: any OpenFile
  /// Frames end here: the trailer's offset, or a live pack's committed length.
  private(set) var framesEnd: Int
  let isSealed: Bool
  /// Where the first frame starts.
  let framesStart: Int
  /// The trailer's table; nil in a live pack, and in a sealed one whose trailer is damaged.
  let table: IDTable?

  /// Whether it is known that a sealed pack's name in `packs/` survives a crash. Until then it may
  /// stand in `live/` again afterwards, of which only the committed part counts.
  private(set) var isSettled: Bool

  private static let headerGuess = 4 << 10
  private static let frameGuess = 64 << 10
  /// The metadata of one snapshot is little.
  private static let metadataGuess = 16 << 10
  /// Behind a frame longer than this, only the next one's header is worth reading ahead; the header of
  /// 200 objects fits.
  private static let windowGuess = 8 << 10
  private static let searchWindow = 1 << 20

  static func name(_ id: PackID, _ kind: PackKind, sealed: Bool) -> String {
    "\(sealed ? "packs" : "live")/\(fileName(id, kind))"
  }

  static func fileName(_ id: PackID, _ kind: PackKind) -> String {
    "\(id.hex).\(kind.fileExtension)"
  }

  /// The id and kind in a file's name, without its directory.
  static func parse(_ fileName: String) -> (PackID, PackKind)? {
    let bytes = Array(fileName.utf8)
    guard bytes.count == 37, bytes[32] == UInt8(ascii: "."), let id = PackID(hex: bytes[..<32]),
      let kind = PackKind.allCases.first(where: {
        bytes[33...].elementsEqual($0.fileExtension.utf8)
      })
    else { return nil }
    return (id, kind)
  }

  /// Opens a sealed pack and its table. Throws `.notFound`, or `.corrupt` for what is no sealed pack
  /// of this id.
  ///
  /// `directory`: `trash` for one that is condemned.
  init(
    sealed id: PackID, _ kind: PackKind, in directory: String = "packs",
    files: any FileOperations
  ) throws(RepositoryError) {
    self.id = id
    self.kind = kind
    name = "\(directory)/\(Self.fileName(id, kind))"
    isSealed = true
    let file = try onFile(name, "open") { [name] () throws(Errno) in
      try files.open(name, writable: false)
    }
    self.file = file
    framesStart = try Self.headerLength(file, id, kind, name: name)
    isSettled = try onFile(name, "stat") { () throws(Errno) in
      try file.mode() & Self.writable == 0
    }
    (framesEnd, table) = try onFile(name, "read") { [name] () throws(Errno) in
      try Self.table(of: file, name: name, files)
    }
  }

  /// The end of the frames and the trailer's table; the whole length and nil where the trailer is
  /// damaged: the frames can still be read from the front, and verify says what is wrong.
  private static func table(
    of file: any OpenFile, name: String, _ files: any FileOperations
  ) throws(Errno) -> (Int, IDTable?) {
    let length = try file.size()
    let foot = try file.read(
      at: max(0, length - PackTrailer.footLength), count: PackTrailer.footLength)
    guard let offset = PackTrailer.offset(foot: foot, packLength: length) else {
      return (length, nil)
    }
    let head = try file.read(at: offset, count: 16)
    var count: UInt64 = 0
    for index in 0..<8 { count |= UInt64(head[8 + index]) << UInt64(8 * index) }
    let rest = length - offset - PackTrailer.headLength - PackTrailer.footLength
    guard head.prefix(8).elementsEqual(PackTrailer.magic), rest % PackTrailer.rowLength == 0,
      count == UInt64(rest / PackTrailer.rowLength)
    else { return (length, nil) }
    let bytes: TableBytes
    let base: Int
    if let mapped = try files.map(name) {
      bytes = .mapped(mapped)
      base = offset
    } else {
      bytes = .memory(try file.read(at: offset, count: length - offset))
      base = 0
    }
    let table = IDTable(
      bytes, fanOutBits: 8, fanOutStart: base + 16, rowsStart: base + PackTrailer.headLength,
      rowLength: PackTrailer.rowLength, count: Int(count))
    return (offset, table)
  }

  /// Opens a live pack of which `length` bytes are committed. Throws `.notFound` when it is not in
  /// `live/` (any more).
  init(
    live id: PackID, _ kind: PackKind, length: Int, files: any FileOperations
  ) throws(RepositoryError) {
    self.id = id
    self.kind = kind
    name = Self.name(id, kind, sealed: false)
    isSealed = false
    isSettled = false
    framesEnd = length
    table = nil
    file = try onFile(name, "open") { [name] () throws(Errno) in
      try files.open(name, writable: false)
    }
    framesStart = try Self.headerLength(file, id, kind, name: name)
  }

  /// Opens a pack that may be damaged anywhere, to see what can be got out of it.
  ///
  /// `committed`: the length of a live pack; nil for a sealed one. Frames start at 0, where no frame
  /// is, when the header can't be read. Throws `.notFound`.
  init(
    salvaging id: PackID, _ kind: PackKind, committed: Int?, files: any FileOperations
  ) throws(RepositoryError) {
    self.id = id
    self.kind = kind
    isSealed = committed == nil
    isSettled = false
    name = Self.name(id, kind, sealed: isSealed)
    let file = try onFile(name, "open") { [name] () throws(Errno) in
      try files.open(name, writable: false)
    }
    self.file = file
    framesStart = (try? Self.headerLength(file, id, kind, name: name)) ?? 0
    if let committed {
      (framesEnd, table) = (committed, nil)
    } else {
      (framesEnd, table) = try onFile(name, "read") { [name] () throws(Errno) in
        try Self.table(of: file, name: name, files)
      }
    }
  }

  /// A live pack that this process writes.
  init(_ writer: LivePackWriter) {
    id = writer.id
    kind = writer.kind
    name = Self.name(id, kind, sealed: false)
    file = writer.file
    isSealed = false
    isSettled = false
    framesStart = writer.framesStart
    framesEnd = writer.length
    table = nil
  }

  private static let writable: UInt32 = 0o200
  private static let settledMode: UInt32 = 0o444

  /// Notes in a sealed pack's mode that its name is durable. Where that fails, or is lost, the next
  /// writer makes it durable once more.
  static func markSettled(_ file: any OpenFile) {
    do throws(Errno) { try file.setMode(settledMode) } catch { return }
  }

  /// The directory was synchronised since this pack was opened.
  func settle() {
    isSettled = true
    Self.markSettled(file)
  }

  /// More of a live pack has been committed.
  func extend(to length: Int) { framesEnd = max(framesEnd, length) }

  private static func headerLength(
    _ file: any OpenFile, _ id: PackID, _ kind: PackKind, name: String
  ) throws(RepositoryError) -> Int {
    let bytes = try onFile(name, "read") { () throws(Errno) in
      try file.read(at: 0, count: headerGuess)
    }
    do throws(DecodingFailure) {
      let (header, length) = try PackHeader.decode(bytes)
      guard header.id == id, header.kind == kind else {
        throw DecodingFailure(
          message: "this is pack \(header.id.hex), under a wrong name", offset: 0)
      }
      return length
    } catch {
      throw RepositoryError(.corrupt, "\(name): \(error.message)", file: name)
    }
  }

  /// The copy of `format.json` in the pack's header, which was found right when it was opened.
  func storedFormat() throws(RepositoryError) -> [UInt8] {
    let bytes = try onFile(name, "read") { () throws(Errno) in
      try file.read(at: 0, count: framesStart)
    }
    do throws(DecodingFailure) {
      return try PackHeader.decode(bytes).header.format
    } catch {
      throw RepositoryError(.corrupt, "\(name): \(error.message)", file: name)
    }
  }

  /// The rows of the trailer's table that make sense; none without one. Not checked further.
  var tableRows: [PackRow] {
    guard let table else { return [] }
    return (0..<table.count).compactMap { row in
      let at = table.rowOffset(row) + ObjectID.length
      let frameOffset = table.bytes.littleEndianWord(at: at)
      let kind = table.bytes.bytes((at + 16)..<(at + 17))[0]
      guard frameOffset >= UInt64(framesStart), frameOffset < UInt64(framesEnd),
        let kind = ObjectKind(rawValue: kind)
      else { return nil }
      return PackRow(
        id: table.id(row), kind: kind, frameOffset: Int(frameOffset),
        rawOffset: Int(table.bytes.littleEndianHalf(at: at + 8)),
        length: Int(table.bytes.littleEndianHalf(at: at + 12)))
    }
  }

  /// The header of the frame at an offset, read without its payload.
  func frameHeader(at offset: Int) throws(RepositoryError) -> FrameHeader {
    try decodeHeader(try bytes(at: offset, count: Self.headerGuess), at: offset).header
  }

  /// A frame's header and raw bytes. The objects in it are not checked: their reader does it.
  func frame(
    at offset: Int, _ zstd: Zstd, checksPayload: Bool = false
  ) throws(RepositoryError) -> DecodedFrame {
    // Most frames come whole with the first read.
    let start = try bytes(
      at: offset, count: kind == .metadata ? Self.metadataGuess : Self.frameGuess)
    var (header, read) = try decodeHeader(start, at: offset)
    if read.count < header.frameLength {
      read += try bytes(at: offset + read.count, count: header.frameLength - read.count)
    }
    if read.count < header.frameLength {
      throw damage(DecodingFailure(message: "the frame is cut off", offset: 0), at: offset)
    }
    let payload = header.length..<header.frameLength
    if checksPayload, Digest.checksum(read.span.extracting(payload)) != header.payloadChecksum {
      throw damage(
        DecodingFailure(message: "the payload has a wrong checksum", offset: 0), at: offset)
    }
    do throws(DecodingFailure) {
      let raw =
        header.isCompressed
        ? try zstd.decompress(read, payload, rawLength: header.rawLength) : Array(read[payload])
      return DecodedFrame(header: header, raw: raw)
    } catch { throw damage(error, at: offset) }
  }

  /// Calls `body` with the offset and header of each frame, in order, to the end of what counts.
  func forEachFrame(
    from start: Int? = nil, _ body: (Int, FrameHeader) throws(RepositoryError) -> Void
  ) throws(RepositoryError) {
    var offset = start ?? framesStart
    // Small frames are many: read ahead, and pass over large payloads.
    var window: [UInt8] = []
    var windowStart = offset
    var lastLength = 0
    while offset < framesEnd {
      if offset < windowStart || offset + FrameHeader.fixedLength > windowStart + window.count {
        windowStart = offset
        let count = lastLength > Self.windowGuess ? Self.windowGuess : Self.frameGuess
        window = try bytes(at: offset, count: count)
      }
      let at = offset - windowStart
      let header: FrameHeader
      if let length = FrameHeader.length(of: window, at: at), at + length <= window.count {
        do throws(DecodingFailure) {
          header = try FrameHeader(decoding: window, at: at)
        } catch { throw damage(error, at: offset) }
      } else {
        header = try frameHeader(at: offset)
      }
      guard header.frameLength <= framesEnd - offset else {
        throw damage(DecodingFailure(message: "the frame is cut off", offset: 0), at: offset)
      }
      try body(offset, header)
      lastLength = header.frameLength
      offset += lastLength
    }
  }

  /// Where the next frame with a right header begins behind an offset; nil where none does. For going
  /// on behind a damaged one.
  func nextFrame(after offset: Int) throws(RepositoryError) -> Int? {
    var position = offset + 1
    while position < framesEnd {
      let window = try bytes(at: position, count: Self.searchWindow)
      for index in window.indices where window[index] == FrameHeader.magic[0] {
        // At the window's end there may be a part of it alone.
        guard FrameHeader.magic.starts(with: window[index...].prefix(4)) else { continue }
        do throws(RepositoryError) {
          _ = try frameHeader(at: position + index)
          return position + index
        } catch {
          guard error.code == .corrupt else { throw error }
        }
      }
      if window.isEmpty { return nil }
      position += window.count
    }
    return nil
  }

  private func decodeHeader(
    _ start: [UInt8], at offset: Int
  ) throws(RepositoryError) -> (header: FrameHeader, read: [UInt8]) {
    var read = start
    if let length = FrameHeader.length(of: read, at: 0), length > read.count {
      read += try bytes(at: offset + read.count, count: length - read.count)
    }
    do throws(DecodingFailure) {
      let header = try FrameHeader(decoding: read, at: 0)
      guard header.frameLength <= framesEnd - offset else {
        throw DecodingFailure(message: "the frame is cut off", offset: 0)
      }
      return (header, read)
    } catch { throw damage(error, at: offset) }
  }

  /// Bytes of the frames' part, fewer at its end.
  private func bytes(at offset: Int, count: Int) throws(RepositoryError) -> [UInt8] {
    try onFile(name, "read") { () throws(Errno) in
      try file.read(at: offset, count: max(0, min(count, framesEnd - offset)))
    }
  }

  private func damage(_ failure: DecodingFailure, at offset: Int) -> RepositoryError {
    RepositoryError(
      .corrupt, "\(name): the frame at byte \(offset): \(failure.message)", file: name)
  }
}

/// A frame that was read and unpacked.
struct DecodedFrame {
  let header: FrameHeader
  let raw: [UInt8]

  /// The bytes of an object of the frame, checked against its id; nil when it is not in it.
  ///
  /// Throws `.corrupt` when the bytes have another digest.
  func object(
    _ id: ObjectID, _ kind: ObjectKind, in pack: PackFile
  ) throws(RepositoryError) -> [UInt8]? {
    var start = 0
    for row in header.rows {
      if row.id == id && row.kind == kind {
        let bytes = raw.span.extracting(start..<(start + row.length))
        let found = Digest.id(kind, bytes)
        if found != id {
          throw RepositoryError(
            .corrupt, "\(pack.name): \(kind) \(id) has the digest \(found)", file: pack.name,
            object: id)
        }
        return [UInt8](copying: bytes)
      }
      start += row.length
    }
    return nil
  }
}
