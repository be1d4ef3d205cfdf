internal import DTMSystem

/// Bytes that are mapped, or in memory where the files can't be mapped.
enum TableBytes: Sendable {
  case mapped(MappedFile)
  case memory([UInt8])

  var count: Int {
    switch self {
    case .mapped(let file): file.length
    case .memory(let bytes): bytes.count
    }
  }

  /// Gives the memory of what was read back, where there is a file behind it.
  func release() {
    if case .mapped(let file) = self { file.release() }
  }

  /// Eight bytes at an offset in bounds, most significant first.
  func bigEndianWord(at offset: Int) -> UInt64 {
    switch self {
    case .mapped(let file): return file.bigEndianWord(at: offset)
    case .memory(let bytes):
      var value: UInt64 = 0
      for index in 0..<8 { value = value << 8 | UInt64(bytes[offset + index]) }
      return value
    }
  }

  func littleEndianWord(at offset: Int) -> UInt64 { bigEndianWord(at: offset).byteSwapped }

  func littleEndianHalf(at offset: Int) -> UInt32 {
    switch self {
    case .mapped(let file): return file.littleEndianHalf(at: offset)
    case .memory(let bytes):
      var value: UInt32 = 0
      for index in 0..<4 { value |= UInt32(bytes[offset + index]) << UInt32(8 * index) }
      return value
    }
  }

  func bytes(_ range: Range<Int>) -> [UInt8] {
    switch self {
    case .mapped(let file): file.bytes(range)
    case .memory(let bytes): Array(bytes[range])
    }
  }
}

/// Rows sorted by id behind a fan-out: a pack's trailer or a merged index.
///
/// A lookup reads two numbers of the fan-out and halves what is between them. Nothing read from
/// here is trusted: a wrong row leads to a frame that does not hold the object.
struct IDTable: Sendable {
  /// So few are halved at once.
  private static let fewRows = 8

  let bytes: TableBytes
  /// The first `fanOutBits` bits of an id choose the cell.
  let fanOutBits: Int
  let fanOutStart: Int
  let rowsStart: Int
  let rowLength: Int
  let count: Int

  /// Nil where the table does not fit into its bytes.
  init?(
    _ bytes: TableBytes, fanOutBits: Int, fanOutStart: Int, rowsStart: Int, rowLength: Int,
    count: Int
  ) {
    guard count >= 0, count < 1 << 32, (0...28).contains(fanOutBits),
      fanOutStart + (4 << fanOutBits) <= bytes.count,
      rowsStart + count * rowLength <= bytes.count
    else { return nil }
    self.bytes = bytes
    self.fanOutBits = fanOutBits
    self.fanOutStart = fanOutStart
    self.rowsStart = rowsStart
    self.rowLength = rowLength
    self.count = count
  }

  func rowOffset(_ row: Int) -> Int { rowsStart + row * rowLength }

  func id(_ row: Int) -> ObjectID {
    let at = rowOffset(row)
    return ObjectID(
      words: (
        bytes.bigEndianWord(at: at), bytes.bigEndianWord(at: at + 8),
        bytes.bigEndianWord(at: at + 16), bytes.bigEndianWord(at: at + 24)
      ))
  }

  /// The rows of an id, which stand together; empty for a miss.
  func rows(of id: ObjectID) -> Range<Int> {
    let first = lowerBound(id)
    var end = first
    while end < count, self.id(end) == id { end += 1 }
    return first..<end
  }

  /// Calls `body` with each id between two ids, copies too.
  func forEachID(from first: ObjectID, through last: ObjectID, _ body: (ObjectID) -> Void) {
    var row = lowerBound(first)
    while row < count {
      let id = id(row)
      if id > last { return }
      body(id)
      row += 1
    }
  }

  /// The first row whose id is not less than `id`; `count` when there is none.
  func lowerBound(_ id: ObjectID) -> Int {
    let cell = fanOutBits == 0 ? 0 : Int(id.words.0 >> UInt64(64 - fanOutBits))
    var low = cell == 0 ? 0 : Int(bytes.littleEndianHalf(at: fanOutStart + 4 * (cell - 1)))
    var high = Int(bytes.littleEndianHalf(at: fanOutStart + 4 * cell))
    // A damaged fan-out finds nothing.
    guard low <= high, high <= count else { return count }
    if high - low > Self.fewRows { narrow(&low, &high, to: id) }
    while low < high {
      let middle = (low + high) / 2
      if isLess(middle, than: id) { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// Ids are uniform, so that a row is not far from where its id would have it: a look there, and some beside
  /// it in growing steps, spare most of those of halving, each of which is another line of memory.
  private func narrow(_ low: inout Int, _ high: inout Int, to id: ObjectID) {
    let fraction = (id.words.0 << UInt64(fanOutBits)) >> 32
    let guess = low + Int(UInt64(high - low) * fraction >> 32)
    var step = 2
    if isLess(guess, than: id) {
      low = guess + 1
      while guess + step < high, isLess(guess + step, than: id) {
        low = guess + step + 1
        step *= 2
      }
      high = min(high, guess + step)
    } else {
      high = guess
      while guess - step >= low, !isLess(guess - step, than: id) {
        high = guess - step
        step *= 2
      }
      low = max(low, guess - step + 1)
    }
  }

  private func isLess(_ row: Int, than id: ObjectID) -> Bool {
    let word = bytes.bigEndianWord(at: rowOffset(row))
    return word == id.words.0 ? self.id(row) < id : word < id.words.0
  }
}
