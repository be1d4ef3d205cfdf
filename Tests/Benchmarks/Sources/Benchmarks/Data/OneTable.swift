/// One table of 107 MB.
struct OneTable: Dataset {
  let name = "table"
  static let path = "table.csv"
  static let lengthInBytes = 1024 * 1024 * 1024 / 10

  let count = 1

  func path(_ number: Int) -> String { Self.path }

  func make(in directory: String) throws {
    try Files.write(
      LargeFiles.bytes(.csv, Self.lengthInBytes, seed: 21), to: "\(directory)/\(Self.path)")
  }
}

/// Twenty tables of 8 KiB.
struct TinyFolder: Dataset {
  let name = "tiny"

  let count = 20

  func path(_ number: Int) -> String { "file\(NestedName.padded(number, 2)).csv" }

  func make(in directory: String) throws {
    for number in 0..<count {
      var random = Random(seed: 100 + UInt64(number))
      try Files.write(FileKind.csv.bytes(8192, from: &random), to: "\(directory)/\(path(number))")
    }
  }
}
