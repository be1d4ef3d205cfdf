internal import DTMSystem

extension IgnorePattern {
  /// The pattern of a command line. Throws for what is none, or takes something back.
  init(argument text: String) throws(CommandFailure) {
    let bytes = RawArguments.bytes(of: text)
    guard let pattern = IgnorePattern(line: bytes), !pattern.isNegated else {
      throw CommandFailure(
        .usage, "\(Quoting.path(bytes)) is no pattern",
        hint: "as in '*.csv', raw/ or raw/orders.csv")
    }
    self = pattern
  }

  /// Whether it fits a path beneath the folder.
  func fits(_ key: PathKey, isDirectory: Bool) -> Bool {
    let path = key.path
    let start = path.lastIndex(of: UInt8(ascii: "/")).map { $0 + 1 } ?? 0
    return matches(path: path, nameStart: start, isDirectory: isDirectory)
  }
}
