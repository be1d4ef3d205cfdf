internal import DTMRepository
internal import DTMSystem

/// Reads an archive's members one after the other: POSIX's pax and ustar, GNU's long names and
/// files with holes.
final class TarReader {
  /// Headers beyond the block are kept in memory: extended attributes have 64 KiB each at most.
  private static let headerLimit = 16 << 20
  /// Runs of data of one file.
  private static let runLimit = 1 << 20
  /// Bytes handed out at a time.
  private static let pieceLength = 1 << 20

  private let source: ArchiveSource
  private var global = PaxRecords()
  /// Bytes of the last member, and its padding, that were not taken.
  private var rest = 0
  private var padding = 0

  init(_ source: ArchiveSource) {
    self.source = source
  }

  /// The next member; nil at the archive's end. What was not taken of the one before is passed over.
  ///
  /// Throws `.corrupt` for what is no archive, or is cut off.
  func next() throws(FolderError) -> TarMember? {
    try skip(rest + padding)
    (rest, padding) = (0, 0)
    var records = PaxRecords()
    var longName: [UInt8]?
    var longTarget: [UInt8]?
    while true {
      let block = try source.read(TarHeader.blockLength)
      // Without its end it may have been cut off between two members.
      if block.isEmpty { throw source.damage("the end of the archive is missing") }
      guard let header = try decode({ () throws(DecodingFailure) in try TarHeader.decode(block) })
      else { return nil }
      switch header.kind {
      case .extended, .global:
        let bytes = try content(header)
        let found = try decode { () throws(DecodingFailure) in try PaxRecords(decoding: bytes) }
        if header.kind == .global { global.add(found) } else { records.add(found) }
      case .longName: longName = Array(try content(header).prefix { $0 != 0 })
      case .longTarget: longTarget = Array(try content(header).prefix { $0 != 0 })
      default:
        var all = global
        all.add(records)
        return try member(header, block, all, longName, longTarget)
      }
    }
  }

  /// Hands out the content of the member that came last: data, and lengths of holes.
  func forEachPiece(
    of member: TarMember, data: ([UInt8]) throws(FolderError) -> Void,
    hole: (Int) throws(FolderError) -> Void
  ) throws(FolderError) {
    var end = 0
    for run in member.runs ?? [TarMember.Run(offset: 0, length: member.size)] {
      try hole(run.offset - end)
      var left = run.length
      while left > 0 {
        let piece = try source.take(min(left, Self.pieceLength))
        rest -= piece.count
        left -= piece.count
        try data(piece)
      }
      end = run.offset + run.length
    }
    try hole(member.size - end)
  }

  // MARK: - Headers

  private func member(
    _ header: TarHeader, _ block: [UInt8], _ records: PaxRecords, _ longName: [UInt8]?,
    _ longTarget: [UInt8]?
  ) throws(FolderError) -> TarMember {
    let stored = try number(records["size"]) ?? Int(clamping: header.size)
    // Links and directories have no content, whatever their size says.
    let isFile = header.kind == .file || header.kind == .contiguous || header.kind == .sparse
    rest = isFile || header.kind == .link ? stored : 0
    padding = Self.padding(rest)
    if header.kind == .link { rest = 0; padding = 0 }
    var member = TarMember(
      kind: header.kind, name: records["path"] ?? longName ?? header.name,
      target: records["linkpath"] ?? longTarget ?? header.target, permissions: header.mode,
      owner: Owner(
        id: try id(records["uid"]) ?? header.uid, name: records["uname"] ?? header.user),
      group: Owner(
        id: try id(records["gid"]) ?? header.gid, name: records["gname"] ?? header.group),
      modified: FileTime(seconds: header.seconds, nanoseconds: 0), size: rest, storedSize: rest,
      runs: nil, major: header.major, minor: header.minor, attributes: [], inodeFlags: 0)
    if let text = records["mtime"] {
      guard let time = PaxRecords.time(text) else { throw source.damage("a time does not read") }
      member.modified = time
    }
    if isFile { try readHoles(&member, block, records) }
    try readAttributes(&member, records)
    return member
  }

  private func readAttributes(
    _ member: inout TarMember, _ records: PaxRecords
  ) throws(FolderError) {
    var found: [[UInt8]: [UInt8]] = [:]
    let prefix = Array(TarKey.attribute.utf8)
    for record in records.records where record.key.starts(with: prefix) {
      let name = TarKey.unescaped(Array(record.key.dropFirst(prefix.count)))
      if name.isEmpty || name.contains(0) { throw source.damage("an attribute without a name") }
      found[name] = record.value
    }
    for (key, name) in [
      (TarKey.accessList, MetadataWriter.accessList),
      (TarKey.defaultList, MetadataWriter.defaultList),
    ] {
      guard let text = records[key], !text.isEmpty else { continue }
      guard let value = AccessListText.value(text) else {
        throw source.damage("an access control list does not read")
      }
      // GNU tar writes those of mode alone too.
      if key == TarKey.defaultList || value.count > 4 + 3 * 8 { found[name] = value }
    }
    member.attributes = found.map { ExtendedAttribute(name: $0.key, value: $0.value) }
      .sorted { $0.name.lexicographicallyPrecedes($1.name) }
    guard let flags = records[TarKey.flags] else { return }
    for word in String(decoding: flags, as: UTF8.self).split(separator: ",") {
      for (known, flag) in TarKey.flagWords where known == word { member.inodeFlags |= flag }
    }
  }

  // MARK: - Holes

  private func readHoles(
    _ member: inout TarMember, _ block: [UInt8], _ records: PaxRecords
  ) throws(FolderError) {
    if member.kind == .sparse {
      try readOldHoles(&member, block)
    } else if records[TarKey.sparse + "major"] != nil {
      guard records[TarKey.sparse + "major"] == Array("1".utf8) else {
        throw source.damage("a form of holes that is not known")
      }
      guard let size = try number(records[TarKey.sparse + "realsize"]) else {
        throw source.damage("a file with holes without its size")
      }
      member.size = size
      member.name = records[TarKey.sparse + "name"] ?? member.name
      member.runs = try readMap()
    } else if let size = try number(records[TarKey.sparse + "size"]) {
      member.size = size
      member.name = records[TarKey.sparse + "name"] ?? member.name
      member.runs = try runs(of: records)
    }
    try checkRuns(member)
  }

  /// The map in records: `GNU.sparse.map`, or pairs of `offset` and `numbytes`.
  private func runs(of records: PaxRecords) throws(FolderError) -> [TarMember.Run] {
    var numbers: [Int] = []
    if let map = records[TarKey.sparse + "map"] {
      for text in map.split(separator: UInt8(ascii: ",")) {
        guard let value = try number(Array(text)) else { continue }
        numbers.append(value)
      }
    } else {
      for record in records.records {
        let key = String(decoding: record.key, as: UTF8.self)
        if key == TarKey.sparse + "offset" || key == TarKey.sparse + "numbytes",
          let value = try number(record.value)
        {
          numbers.append(value)
        }
      }
    }
    return try runs(numbers)
  }

  private func runs(_ numbers: [Int]) throws(FolderError) -> [TarMember.Run] {
    guard numbers.count.isMultiple(of: 2), numbers.count <= 2 * Self.runLimit else {
      throw source.damage("a map of holes does not read")
    }
    return stride(from: 0, to: numbers.count, by: 2).map {
      TarMember.Run(offset: numbers[$0], length: numbers[$0 + 1])
    }
  }

  /// The map before the data: numbers, each on a line, to the end of a block.
  private func readMap() throws(FolderError) -> [TarMember.Run] {
    var numbers: [Int] = []
    var wanted: Int?
    var digits: [UInt8] = []
    while wanted.map({ numbers.count < $0 }) ?? true {
      guard rest >= TarHeader.blockLength else { throw source.damage("a map of holes is cut off") }
      let block = try source.take(TarHeader.blockLength)
      rest -= block.count
      for byte in block {
        if let wanted, numbers.count >= wanted { break }
        if byte != UInt8(ascii: "\n") {
          digits.append(byte)
          if digits.count > 20 { throw source.damage("a map of holes does not read") }
          continue
        }
        guard let value = try number(digits) else {
          throw source.damage("a map of holes does not read")
        }
        digits = []
        guard wanted != nil else {
          guard value <= Self.runLimit else { throw source.damage("a map of too many holes") }
          wanted = value * 2
          continue
        }
        numbers.append(value)
      }
    }
    return try runs(numbers)
  }

  /// GNU's own form: four runs in the block, 21 in each block that follows.
  private func readOldHoles(
    _ member: inout TarMember, _ block: [UInt8]
  ) throws(FolderError) {
    var numbers: [Int] = []
    func collect(_ block: [UInt8], from start: Int, count: Int) throws(FolderError) {
      for index in 0..<count {
        let at = start + index * 24
        if block[at] == 0 { break }
        for field in [at..<(at + 12), (at + 12)..<(at + 24)] {
          let value = try decode { () throws(DecodingFailure) in
            try TarHeader.number(block, field)
          }
          if value < 0 { throw source.damage("a map of holes does not read") }
          numbers.append(Int(value))
        }
      }
    }
    try collect(block, from: 386, count: 4)
    let size = try decode { () throws(DecodingFailure) in
      try TarHeader.number(block, 483..<495)
    }
    var hasMore = block[482] != 0
    while hasMore {
      let next = try source.take(TarHeader.blockLength)
      try collect(next, from: 0, count: 21)
      guard numbers.count <= 2 * Self.runLimit else {
        throw source.damage("a map of too many holes")
      }
      hasMore = next[504] != 0
    }
    guard size >= 0 else { throw source.damage("a negative size") }
    member.size = Int(size)
    member.kind = .file
    member.runs = try runs(numbers)
  }

  private func checkRuns(_ member: TarMember) throws(FolderError) {
    guard let runs = member.runs else { return }
    var end = 0
    var stored = 0
    for run in runs {
      let (next, isTooLarge) = run.offset.addingReportingOverflow(run.length)
      guard !isTooLarge, run.offset >= end, next <= member.size else {
        throw source.damage("the runs of a file with holes are out of order")
      }
      end = next
      stored += run.length
    }
    if stored != rest { throw source.damage("a file with holes has another size than its runs") }
  }

  // MARK: -

  private func content(_ header: TarHeader) throws(FolderError) -> [UInt8] {
    guard let length = Int(exactly: header.size), length <= Self.headerLimit else {
      throw source.damage("a header of \(header.size) bytes")
    }
    let bytes = try source.take(length)
    try skip(Self.padding(length))
    return bytes
  }

  private static func padding(_ length: Int) -> Int {
    (TarHeader.blockLength - length % TarHeader.blockLength) % TarHeader.blockLength
  }

  private func skip(_ count: Int) throws(FolderError) {
    var left = count
    while left > 0 { left -= try source.take(min(left, Self.pieceLength)).count }
  }

  private func number(_ text: [UInt8]?) throws(FolderError) -> Int? {
    guard let text else { return nil }
    guard !text.isEmpty, text.allSatisfy({ (0x30...0x39).contains($0) }),
      let value = Int(String(decoding: text, as: UTF8.self)), value <= Int.max / 2
    else { throw source.damage("a number does not read") }
    return value
  }

  private func id(_ text: [UInt8]?) throws(FolderError) -> UInt32? {
    guard let value = try number(text) else { return nil }
    guard let id = UInt32(exactly: value) else { throw source.damage("an id is out of range") }
    return id
  }

  private func decode<Result>(
    _ body: () throws(DecodingFailure) -> Result
  ) throws(FolderError) -> Result {
    do throws(DecodingFailure) { return try body() } catch { throw source.damage(error.message) }
  }
}
