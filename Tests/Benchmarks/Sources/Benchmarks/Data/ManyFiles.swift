/// Very many tables of 256 … 1,023 bytes: what counts is their number.
struct ManyFiles: Dataset {
  enum Shape: String, Sendable {
    /// 5,000 directories in 40.
    case nested
    /// One directory.
    case flat
  }

  let count: Int
  let shape: Shape

  var name: String { "many-\(count)-\(shape.rawValue)" }

  func path(_ number: Int) -> String {
    switch shape {
    case .nested: NestedName.path(number, extension: "csv")
    case .flat: "part-\(NestedName.padded(number, 7)).csv"
    }
  }

  func make(in directory: String) throws {
    for number in 0..<count {
      var random = Random(seed: UInt64(number))
      let length = 256 + Int(random.next() % 768)
      try Files.write(
        FileKind.csv.bytes(length, from: &random), to: "\(directory)/\(path(number))")
    }
  }
}
