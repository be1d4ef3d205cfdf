/// What the data files hold: tables, logs, columns, blobs.
enum FileKind: String, CaseIterable {
  case csv
  case jsonl
  case columns = "col"
  case log
  case blob = "bin"
  case prose = "txt"

  /// Of 100 data files so many are of the kind.
  static let weights: [(kind: FileKind, weight: Int)] = [
    (.csv, 34), (.jsonl, 24), (.columns, 20), (.log, 12), (.blob, 10),
  ]

  /// A kind by its weight.
  static func drawn(from random: inout Random) -> FileKind {
    var ticket = Int(random.next() % 100)
    for (kind, weight) in weights {
      if ticket < weight { return kind }
      ticket -= weight
    }
    return .blob
  }

  /// `count` bytes; rows are numbered from `firstRow` on.
  func bytes(_ count: Int, firstRow: Int = 0, from random: inout Random) -> [UInt8] {
    switch self {
    case .csv: Rows.csv(count, firstRow: firstRow, from: &random)
    case .jsonl: Rows.jsonl(count, firstRow: firstRow, from: &random)
    case .log: Rows.log(count, firstRow: firstRow, from: &random)
    case .columns: Columns.bytes(count, from: &random)
    case .blob: Columns.noise(count, from: &random)
    case .prose: Prose.bytes(count, from: &random)
    }
  }
}
