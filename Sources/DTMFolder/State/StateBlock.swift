package import DTMSystem

/// A run of entries in key order, as one row of the state cache holds it.
///
/// Encoding: for each record the varints shared, length of the rest, the rest of the key, mode,
/// uid, gid, links, size, inode, device, then mtime (zigzag seconds, nanoseconds), ctime (zigzag
/// seconds after mtime, nanoseconds), and a byte class | 0x80 if racy; at the end 8 bytes FNV-1a
/// of all before. A cache, never read by another program: it may change with the schema version.
package struct StateBlock: Sendable {
  /// Records a block has after it was written, and the most before it is cut into two.
  static let usualCount = 128
  static let maximumCount = 256

  /// Ascending.
  package private(set) var keys = KeyRun()
  package private(set) var records: [StateRecord] = []

  package init() {}

  package var count: Int { records.count }

  /// Appends a record, whose key is greater than all before.
  package mutating func append(_ key: PathKey, _ record: StateRecord) {
    keys.append(key)
    records.append(record)
  }

  /// The record of a key.
  package func record(of key: PathKey) -> StateRecord? {
    var low = 0
    var high = count
    while low < high {
      let middle = (low + high) / 2
      let order = keys.comparison(middle, with: key)
      if order == 0 { return records[middle] }
      if order < 0 { low = middle + 1 } else { high = middle }
    }
    return nil
  }

  /// The bytes of a row with these records.
  package func encoded(_ range: Range<Int>) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(range.count * 64)
    var last: [UInt8] = []
    for index in range {
      let key = keys[index].bytes
      var shared = 0
      let limit = min(last.count, key.count)
      while shared < limit, last[shared] == key[shared] { shared += 1 }
      Self.put(UInt64(shared), &bytes)
      Self.put(UInt64(key.count - shared), &bytes)
      bytes.append(contentsOf: key[shared...])
      Self.put(records[index], &bytes)
      last = key
    }
    var sum = Self.checksum(bytes.span)
    for _ in 0..<8 {
      bytes.append(UInt8(truncatingIfNeeded: sum))
      sum >>= 8
    }
    return bytes
  }

  /// Nil where the bytes are not what was written.
  package init?(decoding bytes: [UInt8]) {
    guard bytes.count > 8 else { return nil }
    let end = bytes.count - 8
    var sum: UInt64 = 0
    for index in 0..<8 { sum |= UInt64(bytes[end + index]) << UInt64(8 * index) }
    guard sum == Self.checksum(bytes.span.extracting(0..<end)) else { return nil }
    keys.reserve(keys: Self.maximumCount, bytes: bytes.count)
    records.reserveCapacity(Self.maximumCount)
    let span = bytes.span
    var offset = 0
    while offset < end {
      guard let shared = Self.take(span, &offset, end), shared <= bytes.count,
        let rest = Self.take(span, &offset, end), rest <= end - offset,
        keys.append(sharing: Int(shared), span.extracting(offset..<(offset + Int(rest))))
      else { return nil }
      offset += Int(rest)
      guard let record = Self.record(span, &offset, end) else { return nil }
      records.append(record)
    }
  }

  private static func put(_ record: StateRecord, _ bytes: inout [UInt8]) {
    put(UInt64(record.mode), &bytes)
    put(UInt64(record.uid), &bytes)
    put(UInt64(record.gid), &bytes)
    put(UInt64(record.links), &bytes)
    put(record.size, &bytes)
    put(record.inode, &bytes)
    put(record.device, &bytes)
    put(zigzag(record.modified.seconds), &bytes)
    put(UInt64(record.modified.nanoseconds), &bytes)
    put(zigzag(record.changed.seconds &- record.modified.seconds), &bytes)
    put(UInt64(record.changed.nanoseconds), &bytes)
    bytes.append(record.captureClass.rawValue | (record.isRacy ? 0x80 : 0))
  }

  private static func record(
    _ bytes: Span<UInt8>, _ offset: inout Int, _ end: Int
  ) -> StateRecord? {
    guard let mode = take(bytes, &offset, end), let uid = take(bytes, &offset, end),
      let gid = take(bytes, &offset, end), let links = take(bytes, &offset, end),
      let size = take(bytes, &offset, end), let inode = take(bytes, &offset, end),
      let device = take(bytes, &offset, end), let modified = take(bytes, &offset, end),
      let modifiedPart = take(bytes, &offset, end), let changed = take(bytes, &offset, end),
      let changedPart = take(bytes, &offset, end), offset < end
    else { return nil }
    let flags = bytes[offset]
    offset += 1
    guard let captureClass = CaptureClass(rawValue: flags & 0x7F) else { return nil }
    var record = StateRecord.unseen
    record.mode = UInt32(truncatingIfNeeded: mode)
    record.uid = UInt32(truncatingIfNeeded: uid)
    record.gid = UInt32(truncatingIfNeeded: gid)
    record.links = UInt32(truncatingIfNeeded: links)
    record.size = size
    record.inode = inode
    record.device = device
    let seconds = unzigzag(modified)
    record.modified = FileTime(
      seconds: seconds, nanoseconds: UInt32(truncatingIfNeeded: modifiedPart))
    record.changed = FileTime(
      seconds: seconds &+ unzigzag(changed), nanoseconds: UInt32(truncatingIfNeeded: changedPart))
    record.captureClass = captureClass
    record.isRacy = flags & 0x80 != 0
    return record
  }

  private static func put(_ value: UInt64, _ bytes: inout [UInt8]) {
    var rest = value
    while rest >= 0x80 {
      bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
      rest >>= 7
    }
    bytes.append(UInt8(truncatingIfNeeded: rest))
  }

  /// A varint, from one load: a million of these blocks' entries are compared when a large folder is looked at.
  /// Eight bytes have to follow `end`.
  @inline(__always)
  private static func take(_ bytes: Span<UInt8>, _ offset: inout Int, _ end: Int) -> UInt64? {
    guard offset < end else { return nil }
    let word = bytes.littleEndianWord(at: offset)
    let stops = ~word & 0x8080_8080_8080_8080
    guard stops != 0 else { return takeLong(bytes, &offset, end) }
    let stop = stops.trailingZeroBitCount
    let length = (stop &+ 1) &>> 3
    guard length <= end &- offset else { return nil }
    offset &+= length
    // Seven bits of each byte up to the stop, moved together in three steps.
    var value = word & (UInt64.max &>> UInt64(63 &- stop)) & 0x7F7F_7F7F_7F7F_7F7F
    value = value & 0x007F_007F_007F_007F | (value & 0x7F00_7F00_7F00_7F00) &>> 1
    value = value & 0x0000_3FFF_0000_3FFF | (value & 0x3FFF_0000_3FFF_0000) &>> 2
    return value & 0x0FFF_FFFF | (value & 0x0FFF_FFFF_0000_0000) &>> 4
  }

  private static func takeLong(
    _ bytes: Span<UInt8>, _ offset: inout Int, _ end: Int
  ) -> UInt64? {
    var value: UInt64 = 0
    var shift: UInt64 = 0
    while offset < end, shift < 64 {
      let byte = bytes[offset]
      offset += 1
      value |= UInt64(byte & 0x7F) << shift
      if byte < 0x80 { return value }
      shift += 7
    }
    return nil
  }

  private static func zigzag(_ value: Int64) -> UInt64 {
    UInt64(bitPattern: value << 1 ^ value >> 63)
  }

  private static func unzigzag(_ value: UInt64) -> Int64 {
    Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
  }

  /// FNV-1a over eight bytes a step; it has to notice damage, nothing more.
  private static func checksum(_ bytes: Span<UInt8>) -> UInt64 {
    var sum: UInt64 = 14_695_981_039_346_656_037
    func add(_ word: UInt64) {
      sum = (sum ^ word) &* 1_099_511_628_211
      sum ^= sum >> 29
    }
    var index = 0
    while index <= bytes.count - 8 {
      add(bytes.littleEndianWord(at: index))
      index += 8
    }
    if index < bytes.count {
      var word: UInt64 = 0
      for place in 0..<(bytes.count - index) {
        word |= UInt64(bytes[index + place]) << UInt64(8 * place)
      }
      add(word)
    }
    return sum ^ UInt64(bytes.count)
  }
}
