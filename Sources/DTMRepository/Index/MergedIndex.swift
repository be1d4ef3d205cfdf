internal import DTMSystem
internal import SystemPackage

/// The object tables of several sealed packs in one mapped file; a cache.
///
/// File: `DTMINDX1`, u32 fan-out bits, u32 count of packs, u64 count of rows, per pack 16 bytes of
/// uuid and u8 kind, checksum of all before, zeros to a multiple of 8, fan-out of u32, rows of 40
/// bytes: id, u64 pack << 40 | frame offset. Ascending by id. It may be deleted at any moment.
final class MergedIndex {
  static let magic = Array("DTMINDX1".utf8)
  private static let rowLength = 40

  let name: String
  let packs: [(id: PackID, kind: PackKind)]
  let table: IDTable

  /// Opens `index/<fileName>`; nil for anything that is not a whole index.
  init?(_ fileName: String, files: any FileOperations) {
    name = "index/" + fileName
    let bytes: TableBytes
    do throws(Errno) {
      if let mapped = try files.map(name) {
        bytes = .mapped(mapped)
      } else {
        let file = try files.open(name, writable: false)
        bytes = .memory(try file.read(at: 0, count: try file.size()))
      }
    } catch { return nil }
    guard bytes.count >= 32, bytes.bytes(0..<8) == Self.magic else { return nil }
    let bits = Int(bytes.littleEndianHalf(at: 8))
    let packCount = Int(bytes.littleEndianHalf(at: 12))
    let rowCount = bytes.littleEndianWord(at: 16)
    let headEnd = 24 + packCount * 17
    guard bits <= 28, packCount < 1 << 24, rowCount < 1 << 32, headEnd + 8 <= bytes.count else {
      return nil
    }
    let head = bytes.bytes(0..<headEnd)
    guard bytes.littleEndianWord(at: headEnd) == Digest.checksum(head.span) else { return nil }
    var packs: [(id: PackID, kind: PackKind)] = []
    for index in 0..<packCount {
      let at = 24 + index * 17
      guard let id = PackID(Array(head[at..<(at + 16)])),
        let kind = PackKind(rawValue: head[at + 16])
      else { return nil }
      packs.append((id, kind))
    }
    self.packs = packs
    let fanOutStart = (headEnd + 8 + 7) / 8 * 8
    guard
      let table = IDTable(
        bytes, fanOutBits: bits, fanOutStart: fanOutStart,
        rowsStart: fanOutStart + (4 << bits), rowLength: Self.rowLength, count: Int(rowCount)),
      table.rowOffset(table.count) == bytes.count
    else { return nil }
    self.table = table
  }

  /// The pack (an index into `packs`) and frame offset of a row; nil for a damaged row.
  func location(_ row: Int) -> (pack: Int, frameOffset: Int)? {
    let word = table.bytes.littleEndianWord(at: table.rowOffset(row) + 32)
    let pack = Int(word >> 40)
    return pack < packs.count ? (pack, Int(word & (1 << 40 - 1))) : nil
  }

  /// One sorted source of a merge.
  struct Source {
    let count: Int
    let id: (Int) -> ObjectID
    /// The pack (an index into the new index's packs) and frame offset of a row; nil to leave it out.
    let locate: (Int) -> (pack: Int, frameOffset: Int)?
    /// Gives back the memory of the rows that were read.
    let release: () -> Void

    /// The rows of a table.
    init(table: IDTable, locate: @escaping (Int) -> (pack: Int, frameOffset: Int)?) {
      count = table.count
      id = table.id
      self.locate = locate
      release = { table.bytes.release() }
    }

    /// Rows in any order, all of the first pack.
    init(rows: [PackRow]) {
      let sorted = rows.sorted { ($0.id, $0.frameOffset) < ($1.id, $1.frameOffset) }
      count = rows.count
      id = { sorted[$0].id }
      locate = { (0, sorted[$0].frameOffset) }
      release = {}
    }
  }

  /// Writes an index of the sources' rows. Memory: one buffer, and the fan-out.
  ///
  /// Throws `.exists` where there is one of that name.
  static func write(
    _ sources: [Source], packs: [(id: PackID, kind: PackKind)], as fileName: String,
    files: any FileOperations
  ) throws(RepositoryError) {
    let name = "index/" + fileName
    let upperBound = sources.reduce(0) { $0 + $1.count }
    // About sixteen rows a cell: one page of the table a lookup.
    let bits = max(0, min(26, (Int.bitWidth - upperBound.leadingZeroBitCount) - 4))
    let fanOutStart = (24 + packs.count * 17 + 8 + 7) / 8 * 8
    let rowsStart = fanOutStart + (4 << bits)
    // Without a name until it is whole: nothing is left where writing it fails or is cut off.
    let file = try onFile(name, "create") { () throws(Errno) in
      try files.createUnnamed(in: "index", mode: 0o600)
    }
    var fanOut = [UInt32](repeating: 0, count: 1 << bits)
    var buffer = ByteWriter()
    var position = rowsStart
    var count = 0
    var next = [Int](repeating: 0, count: sources.count)
    while true {
      var least: (id: ObjectID, source: Int)?
      for index in sources.indices where next[index] < sources[index].count {
        let id = sources[index].id(next[index])
        if least.map({ id < $0.id }) ?? true { least = (id, index) }
      }
      guard let (id, source) = least else { break }
      if let (pack, frameOffset) = sources[source].locate(next[source]) {
        buffer.id(id)
        buffer.u64(UInt64(pack) << 40 | UInt64(frameOffset))
        fanOut[bits == 0 ? 0 : Int(id.words.0 >> UInt64(64 - bits))] += 1
        count += 1
      }
      next[source] += 1
      if buffer.bytes.count >= 1 << 20 {
        let part = buffer.bytes
        try onFile(name, "write") { () throws(Errno) in try file.write(part, at: position) }
        position += part.count
        buffer = ByteWriter()
        // All sources together are as large as the index: they are read from front to back.
        for source in sources { source.release() }
      }
    }
    var head = ByteWriter()
    head.raw(magic)
    head.u32(UInt32(bits))
    head.u32(UInt32(packs.count))
    head.u64(UInt64(count))
    for pack in packs {
      head.raw(pack.id.bytes)
      head.u8(pack.kind.rawValue)
    }
    head.u64(Digest.checksum(head.bytes.span))
    head.raw([UInt8](repeating: 0, count: fanOutStart - head.bytes.count))
    var total: UInt32 = 0
    for cell in fanOut {
      total += cell
      head.u32(total)
    }
    let (front, rest) = (head.bytes, buffer.bytes)
    try onFile(name, "write") { () throws(Errno) in
      try file.write(rest, at: position)
      try file.write(front, at: 0)
      try file.synchronizeData()
      try files.link(file, as: name)
    }
  }
}
