/// A tree of files that a seed determines.
protocol Dataset: Sendable {
  /// The name of its directory, unique among all.
  var name: String { get }
  var count: Int { get }
  /// The path of the regular file of that number, relative to the tree.
  func path(_ number: Int) -> String
  /// Makes the files in the directory, which is there and empty.
  func make(in directory: String) throws
}

/// All of them.
enum Datasets {
  static let all: [any Dataset] = [
    SmallFiles(), LargeFiles(), OneTable(), TinyFolder(),
    ManyFiles(count: 1000, shape: .flat),
    ManyFiles(count: 100_000, shape: .nested), ManyFiles(count: 100_000, shape: .flat),
    ManyFiles(count: 1_000_000, shape: .nested), ManyFiles(count: 1_000_000, shape: .flat),
  ]

  static func named(_ name: String) -> (any Dataset)? { all.first { $0.name == name } }
}
