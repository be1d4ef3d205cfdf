package import DTMRepository
package import DTMSystem

/// The records of an extended header: `length key=value`, each with its end of line.
package struct PaxRecords: Hashable {
  struct Record: Hashable {
    let key: [UInt8]
    let value: [UInt8]
  }

  private(set) var records: [Record] = []

  var isEmpty: Bool { records.isEmpty }

  /// The last value of a key.
  subscript(_ key: String) -> [UInt8]? {
    let bytes = Array(key.utf8)
    return records.last { $0.key == bytes }?.value
  }

  /// Adds a record behind the others.
  package mutating func add(_ key: String, _ value: [UInt8]) { add(Array(key.utf8), value) }

  mutating func add(_ key: String, _ value: String) { add(key, Array(value.utf8)) }

  mutating func add(_ key: [UInt8], _ value: [UInt8]) {
    records.append(Record(key: key, value: value))
  }

  mutating func add(_ other: PaxRecords) { records += other.records }

  /// The records in order.
  package var encoded: [UInt8] {
    var bytes: [UInt8] = []
    for record in records {
      // A space, an equals sign and the end of line; the length counts itself.
      let rest = record.key.count + record.value.count + 3
      var length = rest + String(rest).utf8.count
      if rest + String(length).utf8.count != length { length = rest + String(length).utf8.count }
      bytes += Array("\(length) ".utf8) + record.key + [UInt8(ascii: "=")] + record.value
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }

  /// No records.
  package init() {}

  /// Throws where a record is not as long as it says.
  package init(decoding bytes: [UInt8]) throws(DecodingFailure) {
    var start = 0
    while start < bytes.count {
      var length = 0
      var index = start
      while index < bytes.count, (0x30...0x39).contains(bytes[index]) {
        length = length * 10 + Int(bytes[index] - 0x30)
        if length > bytes.count { throw TarHeader.failure("a record is too long", start) }
        index += 1
      }
      let end = start + length
      guard index > start, index < bytes.count, bytes[index] == 0x20, end <= bytes.count,
        end > index + 1, bytes[end - 1] == UInt8(ascii: "\n"),
        let equals = bytes[index..<end].firstIndex(of: UInt8(ascii: "="))
      else { throw TarHeader.failure("a record that does not read `length key=value`", start) }
      add(Array(bytes[(index + 1)..<equals]), Array(bytes[(equals + 1)..<(end - 1)]))
      start = end
    }
  }

  // MARK: - Times

  /// `-1.5` is half a second after -2 s.
  package static func text(_ time: FileTime) -> String {
    if time.nanoseconds == 0 { return String(time.seconds) }
    var (seconds, nanoseconds, sign) = (time.seconds, time.nanoseconds, "")
    if seconds < 0 {
      sign = "-"
      seconds = -(seconds + 1)
      nanoseconds = 1_000_000_000 - nanoseconds
    }
    let digits = String(nanoseconds)
    let zeros = String(repeating: "0", count: 9 - digits.count)
    return "\(sign)\(seconds).\(zeros)\(digits)"
  }

  /// The time that a text says; nil for one that does not read.
  package static func time(_ text: [UInt8]) -> FileTime? {
    let isNegative = text.first == UInt8(ascii: "-")
    let parts = text.drop { $0 == UInt8(ascii: "-") }
      .split(separator: UInt8(ascii: "."), maxSplits: 1, omittingEmptySubsequences: false)
    guard let first = parts.first, let seconds = Int64(String(decoding: first, as: UTF8.self)),
      seconds >= 0
    else { return nil }
    var nanoseconds: UInt32 = 0
    if parts.count == 2 {
      let digits = parts[1].prefix(9)
      guard digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
      for byte in digits { nanoseconds = nanoseconds * 10 + UInt32(byte - 0x30) }
      for _ in digits.count..<9 { nanoseconds *= 10 }
    }
    if !isNegative { return FileTime(seconds: seconds, nanoseconds: nanoseconds) }
    if nanoseconds == 0 { return FileTime(seconds: -seconds, nanoseconds: 0) }
    return FileTime(seconds: -seconds - 1, nanoseconds: 1_000_000_000 - nanoseconds)
  }
}
