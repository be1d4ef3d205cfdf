import Glibc

/// What programs and accidents do to a tree between two snapshots.
enum Edits {
  private static let editInBytes = 64

  /// Overwrites the beginnings of `count` files, other ones and other bytes each round.
  static func change(
    _ count: Int, of dataset: any Dataset, in tree: String, round: Int, from seed: UInt64 = 1
  ) throws {
    var random = Random(seed: seed &* 1000 &+ UInt64(round))
    for _ in 0..<count {
      let path = dataset.path(Int(random.next() % UInt64(dataset.count)))
      try Files.overwrite(
        "\(tree)/\(path)", at: 0, with: Columns.noise(editInBytes, from: &random))
    }
  }

  /// Corrupts 20 files and deletes 10.
  static func damage(_ dataset: any Dataset, in tree: String, round: Int) throws {
    try change(20, of: dataset, in: tree, round: round, from: 2)
    var random = Random(seed: 3000 + UInt64(round))
    for _ in 0..<10 {
      unlink("\(tree)/\(dataset.path(Int(random.next() % UInt64(dataset.count))))")
    }
  }

  /// Inserts 1 KiB into a file, elsewhere each round.
  static func insertKibibyte(into path: String, length: Int, round: Int, _ place: Place) throws {
    var random = Random(seed: 4000 + UInt64(round))
    let offset = Int(random.next() % UInt64(length))
    let piece = place.home + "/piece"
    try Files.write(Columns.noise(1024, from: &random), to: piece)
    let script = """
      t=\(path) n=\(path).new
      (head -c \(offset) $t && cat \(piece) && tail -c +\(offset + 1) $t) >$n && mv $n $t
      """
    try Command("sh", "-c", script, in: place.tree).run()
  }
}
