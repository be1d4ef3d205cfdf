/// Eight data files of 51 MiB each, 432 MB: tables, a later version of one, columns, an archive.
struct LargeFiles: Dataset {
  let name = "large"
  private static let lengthInBytes = 512 * 1024 * 1024 / 10
  private static let blockInBytes = 4 * 1024 * 1024
  private static let bytesARow = 50
  /// Of the archive's members so many are compressed already.
  private static let compressedShare = 0.06

  private static let files: [(name: String, kind: FileKind, seed: UInt64)] = [
    ("events.csv", .csv, 11), ("clicks.jsonl", .jsonl, 12), ("server.log", .log, 13),
    ("facts_a.col", .columns, 14), ("facts_b.col", .columns, 15), ("model.bin", .blob, 16),
  ]

  private static let names = files.map(\.name) + ["events_v2.csv", "documents.tar"]

  var count: Int { Self.names.count }

  func path(_ number: Int) -> String { Self.names[number] }

  func make(in directory: String) throws {
    for file in Self.files {
      let bytes = Self.bytes(file.kind, Self.lengthInBytes, seed: file.seed)
      try Files.write(bytes, to: "\(directory)/\(file.name)")
      if file.kind == .csv {
        try Files.write(Self.edited(bytes), to: "\(directory)/events_v2.csv")
      }
    }
    try Files.write(Self.archive(), to: "\(directory)/documents.tar")
  }

  /// A long file, made block by block.
  static func bytes(_ kind: FileKind, _ length: Int, seed: UInt64) -> [UInt8] {
    var random = Random(seed: seed)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(length)
    while bytes.count < length {
      bytes += kind.bytes(
        min(blockInBytes, length - bytes.count), firstRow: bytes.count / bytesARow, from: &random)
    }
    return bytes
  }

  /// A later version of a table: a tenth of its MiB have a row corrected, a twentieth one added.
  private static func edited(_ table: [UInt8]) -> [UInt8] {
    let mebibyte = 1024 * 1024
    var random = Random(seed: 5)
    var version: [UInt8] = []
    version.reserveCapacity(table.count + 4096)
    for start in stride(from: 0, to: table.count, by: mebibyte) {
      var block = Array(table[start..<min(start + mebibyte, table.count)])
      let draw = random.fraction()
      let middle = block[(block.count / 2)...].firstIndex(of: 0x0A) ?? 0
      if draw < 0.10 {
        let correction = Array("corrected".utf8)
        block.replaceSubrange(middle + 1..<middle + 1 + correction.count, with: correction)
      } else if draw < 0.15 {
        block.insert(contentsOf: Array("late,row,\(random.next() >> 34)\n".utf8), at: middle + 1)
      }
      version += block
    }
    return version
  }

  /// Documents one after the other, each behind a block of 512 bytes, as tar lays them out.
  private static func archive() -> [UInt8] {
    let tarBlockInBytes = 512
    var random = Random(seed: 17)
    var bytes: [UInt8] = []
    bytes.reserveCapacity(lengthInBytes + 1024 * 1024)
    while bytes.count < lengthInBytes {
      let header = Array("usr/share/doc/\(random.next() % 100_000)/README".utf8)
      bytes += header + [UInt8](repeating: 0, count: tarBlockInBytes - header.count)
      let length = 1024 + Int(random.next() % 65536)
      let kind = random.fraction() < compressedShare ? FileKind.blob : .prose
      bytes += kind.bytes(length, from: &random)
      bytes += [UInt8](repeating: 0, count: tarBlockInBytes - bytes.count % tarBlockInBytes)
    }
    return bytes
  }
}
