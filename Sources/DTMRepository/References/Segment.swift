internal import DTMSystem

/// The two copies of a segment.
package enum SegmentCopyName: String, Sendable, CaseIterable {
  case a
  case b
}

/// Names and fixed layouts of the ref log's files (format: The ref log).
package enum Segment {
  static let directory = "refs"
  /// The first number; each next segment has the next one.
  static let firstNumber = 1
  static let headerLength = 64
  /// length, magic, sequence, digest of the record before, length of the body.
  static let recordHeaderLength = 4 + 4 + 8 + 32 + 4
  static let digestLength = 32
  /// The shortest record: an empty body, filled up to a multiple of 8.
  static let minimumRecordLength = 88
  /// No record is longer (a limit of this program; the format's is 4 GiB).
  static let maximumRecordLength = 64 << 20
  /// What a disk writes whole or not at all.
  static let sectorLength = 512

  static let recordMagic = Array("DREC".utf8)
  private static let headerMagic = Array("DTMREFS1".utf8)

  static func name(_ number: Int, _ copy: SegmentCopyName) -> String {
    let digits = String(number)
    let zeros = String(repeating: "0", count: max(0, 8 - digits.utf8.count))
    return "\(directory)/\(zeros)\(digits).\(copy.rawValue)"
  }

  /// The segment's number in a file name of the directory; nil for any other file.
  static func number(ofName name: String) -> Int? {
    let bytes = Array(name.utf8)
    guard bytes.count == 10, name.hasSuffix(".a") || name.hasSuffix(".b") else { return nil }
    var number = 0
    for byte in bytes[..<8] {
      guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
      number = number * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return number
  }

  /// The 64 bytes at the start of both copies.
  package static func header(_ number: Int, repository: PackID) -> [UInt8] {
    var writer = ByteWriter(reserving: headerLength)
    writer.raw(headerMagic)
    writer.raw(repository.bytes)
    writer.u64(UInt64(number))
    writer.raw([UInt8](repeating: 0, count: 24))
    writer.u64(Digest.checksum(writer.bytes.span))
    return writer.bytes
  }

  /// Whether it is the header of some segment, with a right checksum.
  static func isHeader(_ bytes: ArraySlice<UInt8>) -> Bool {
    guard bytes.count == headerLength, bytes.starts(with: headerMagic) else { return false }
    var writer = ByteWriter()
    writer.u64(Digest.checksum(Array(bytes.dropLast(8)).span))
    return bytes.suffix(8).elementsEqual(writer.bytes)
  }

  /// The length of a record with a body of so many bytes.
  static func recordLength(body: Int) -> Int {
    (recordHeaderLength + body + 7) / 8 * 8 + digestLength
  }

  /// A whole record and its digest.
  package static func record(
    sequence: UInt64, previous: ObjectID, body: [UInt8]
  ) -> (bytes: [UInt8], digest: ObjectID) {
    let length = recordLength(body: body.count)
    var writer = ByteWriter(reserving: length)
    writer.u32(UInt32(length))
    writer.raw(recordMagic)
    writer.u64(sequence)
    writer.id(previous)
    writer.u32(UInt32(body.count))
    writer.raw(body)
    writer.raw([UInt8](repeating: 0, count: length - digestLength - writer.bytes.count))
    let digest = Digest.sha256(writer.bytes.span)
    writer.id(digest)
    return (writer.bytes, digest)
  }
}
