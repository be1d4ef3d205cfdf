internal import DTMSystem

/// Which objects are needed: a bit for each row of a sealed pack's table, the names of those in packs
/// that have none.
///
/// Of an object with several copies one is marked. The tables of sealed packs never change, so marks
/// stay right while packs come and go.
struct LiveObjects {
  /// What is needed of one pack.
  struct Share {
    /// Bytes of the objects, unpacked.
    var bytes = 0
    var objects = 0
  }

  enum Mark {
    /// It was not marked before.
    case new
    case known
    /// No pack that counts has it.
    case missing
  }

  /// Of sealed packs.
  private var bits: [PackID: [UInt64]] = [:]
  /// Of live packs, and of those whose table is damaged.
  private var names: [PackID: Set<ObjectName>] = [:]
  /// Of sealed packs.
  private(set) var shares: [PackID: Share] = [:]
  /// Where the object is that was marked last.
  private(set) var newest: ObjectLocation?
  private let reader: PackReader
  /// The frame of a live pack that was looked at last: others of it come next.
  private var newestFrame: (pack: PackID, offset: Int, header: FrameHeader)?

  init(_ reader: PackReader) {
    self.reader = reader
  }

  /// Marks an object as needed. About a microsecond.
  mutating func mark(_ name: ObjectName) throws(RepositoryError) -> Mark {
    try mark(name, at: reader.catalog.locations(of: name.id, name.kind))
  }

  /// Marks it where it was just found. Another copy may be marked too.
  mutating func mark(
    _ name: ObjectName, at location: ObjectLocation
  ) throws(RepositoryError) -> Mark {
    try mark(name, at: [location])
  }

  /// Marks it in a pack that is condemned, if it is there; returns that pack.
  mutating func markCondemned(_ name: ObjectName) throws(RepositoryError) -> (PackFile, Mark)? {
    for location in try reader.catalog.condemnedLocations(of: name.id, name.kind) {
      let mark = try mark(name, at: [location])
      if mark != .missing { return (try location.pack.file(reader.files), mark) }
    }
    return nil
  }

  private mutating func mark(
    _ name: ObjectName, at locations: [ObjectLocation]
  ) throws(RepositoryError) -> Mark {
    var copies: [(location: ObjectLocation, row: Int?)] = []
    for location in locations {
      let pack: PackFile
      do throws(RepositoryError) { pack = try location.pack.file(reader.files) } catch {
        guard error.code == .notFound || error.code == .corrupt else { throw error }
        continue
      }
      guard let table = pack.table else {
        if names[pack.id]?.contains(name) == true { return .known }
        copies.append((location, nil))
        continue
      }
      sealed(pack)
      guard let row = Self.row(of: name, at: location.frameOffset, in: table) else { continue }
      if isMarked(row, in: pack.id) { return .known }
      copies.append((location, row))
    }
    // Only what can be read is relied on where there is a choice.
    if copies.count > 1 {
      var whole: [(location: ObjectLocation, row: Int?)] = []
      for copy in copies where try isWhole(copy.location) { whole.append(copy) }
      copies = whole
    }
    // Rather where much is needed already: the others get empty.
    let best = copies.max { left, right in
      (shares[left.location.pack.id]?.bytes ?? 0) < (shares[right.location.pack.id]?.bytes ?? 0)
    }
    guard let best else { return .missing }
    try enter(name, best.row, in: best.location)
    return .new
  }

  private func isWhole(_ location: ObjectLocation) throws(RepositoryError) -> Bool {
    do throws(RepositoryError) {
      _ = try reader.checkedFrame(location)
      return true
    } catch {
      guard error.code == .corrupt || error.code == .notFound else { throw error }
      return false
    }
  }

  private mutating func enter(
    _ name: ObjectName, _ row: Int?, in location: ObjectLocation
  ) throws(RepositoryError) {
    let pack = try location.pack.file(reader.files)
    newest = location
    guard let row, let table = pack.table else {
      names[pack.id, default: []].insert(name)
      return
    }
    bits[pack.id, default: Self.noBits(table)][row / 64] |= 1 << UInt64(row % 64)
    count(row, in: table, of: pack.id)
  }

  private mutating func count(_ row: Int, in table: IDTable, of pack: PackID) {
    shares[pack, default: Share()].bytes += Self.length(row, in: table)
    shares[pack, default: Share()].objects += 1
  }

  /// Bytes of the object that was marked last, unpacked, and the pack in which it is.
  mutating func room(of name: ObjectName) throws(RepositoryError) -> (bytes: Int, pack: PackFile)? {
    guard let newest else { return nil }
    let pack = try newest.pack.file(reader.files)
    if let table = pack.table {
      let row = Self.row(of: name, at: newest.frameOffset, in: table)
      return row.map { (Self.length($0, in: table), pack) }
    }
    let rows = try header(of: newest, in: pack).rows
    return rows.first { $0.id == name.id && $0.kind == name.kind }.map { ($0.length, pack) }
  }

  /// Whether an object is marked in a live pack.
  func isMarked(_ name: ObjectName, inLive pack: PackID) -> Bool {
    names[pack]?.contains(name) == true
  }

  private mutating func header(
    of location: ObjectLocation, in pack: PackFile
  ) throws(RepositoryError) -> FrameHeader {
    let offset = location.frameOffset
    if let known = newestFrame, known.pack == pack.id, known.offset == offset {
      return known.header
    }
    let header = try pack.frameHeader(at: offset)
    newestFrame = (pack.id, offset, header)
    return header
  }

  private static func noBits(_ table: IDTable) -> [UInt64] {
    [UInt64](repeating: 0, count: (table.count + 63) / 64)
  }

  /// Marks everything in a pack: it was made of what is needed.
  mutating func markAll(_ pack: PackFile) {
    guard let table = pack.table else { return }
    bits[pack.id] = Self.noBits(table).map { _ in .max }
    shares[pack.id] = Self.total(of: table)
  }

  /// A live pack may have been sealed, by whoever wrote it: what was marked in it by name has rows now.
  mutating func sealed(_ pack: PackFile) {
    guard let table = pack.table, let marked = names.removeValue(forKey: pack.id) else { return }
    var words = bits[pack.id] ?? Self.noBits(table)
    for name in marked {
      for row in table.rows(of: name.id) where Self.kind(row, in: table) == name.kind.rawValue {
        words[row / 64] |= 1 << UInt64(row % 64)
        count(row, in: table, of: pack.id)
        break
      }
    }
    bits[pack.id] = words
  }

  /// Whether the object in a row of a sealed pack's table is marked there.
  func isMarked(_ row: Int, in pack: PackID) -> Bool {
    guard let words = bits[pack] else { return false }
    return words[row / 64] >> UInt64(row % 64) & 1 == 1
  }

  /// Whether the copy of an object in a frame of a sealed pack is marked.
  func isMarked(_ name: ObjectName, at frameOffset: Int, in pack: PackFile) -> Bool {
    guard let table = pack.table,
      let row = Self.row(of: name, at: frameOffset, in: table)
    else { return false }
    return isMarked(row, in: pack.id)
  }

  // MARK: - Tables

  /// All that a sealed pack holds.
  static func total(of table: IDTable) -> Share {
    var share = Share()
    share.objects = table.count
    for row in 0..<table.count { share.bytes += length(row, in: table) }
    return share
  }

  private static func row(of name: ObjectName, at frameOffset: Int, in table: IDTable) -> Int? {
    table.rows(of: name.id).first { row in
      let at = table.rowOffset(row) + ObjectID.length
      return table.bytes.littleEndianWord(at: at) == UInt64(frameOffset)
        && kind(row, in: table) == name.kind.rawValue
    }
  }

  private static func kind(_ row: Int, in table: IDTable) -> UInt8 {
    let at = table.rowOffset(row) + ObjectID.length + 16
    return table.bytes.bytes(at..<(at + 1))[0]
  }

  private static func length(_ row: Int, in table: IDTable) -> Int {
    Int(table.bytes.littleEndianHalf(at: table.rowOffset(row) + ObjectID.length + 12))
  }
}
