/// Files of one directory that belong together: patterns of names with one `*` each, which stands for
/// the same text in all of them (`*.shp`, `*.shx`).
package struct FileGroup: Sendable, Hashable {
  private struct Part: Sendable, Hashable {
    let prefix: [UInt8]
    let suffix: [UInt8]

    /// What `*` stands for; nil for a name that does not fit. Never empty.
    func stem(of name: [UInt8]) -> ArraySlice<UInt8>? {
      guard name.count > prefix.count + suffix.count, name.starts(with: prefix),
        name.suffix(suffix.count).elementsEqual(suffix)
      else { return nil }
      return name.dropFirst(prefix.count).dropLast(suffix.count)
    }
  }

  /// As they are written.
  package let patterns: [String]
  private let parts: [Part]

  /// Nil unless there are two patterns at least, different ones, and each is one.
  package init?(_ patterns: [String]) {
    guard patterns.count > 1, Set(patterns).count == patterns.count,
      patterns.allSatisfy({ Self.fault(ofPattern: $0) == nil })
    else { return nil }
    self.patterns = patterns
    parts = patterns.map { pattern in
      let halves = Array(pattern.utf8).split(
        separator: UInt8(ascii: "*"), omittingEmptySubsequences: false)
      return Part(prefix: Array(halves[0]), suffix: Array(halves[1]))
    }
  }

  /// Why a text is no pattern of a name with one `*`; nil where it is.
  package static func fault(ofPattern text: String) -> String? {
    let bytes = Array(text.utf8)
    if bytes.count(where: { $0 == UInt8(ascii: "*") }) != 1 { return "it has not exactly one *" }
    if bytes.contains(UInt8(ascii: "/")) { return "it has a / in it, and names have none" }
    if bytes.contains(where: { $0 < 0x20 }) {
      return "it has a character that can't be seen in it"
    }
    return nil
  }

  /// What `*` may stand for in a name, once for each pattern that fits.
  package func stems(of name: [UInt8]) -> [[UInt8]] {
    parts.compactMap { part in part.stem(of: name).map { Array($0) } }
  }

  /// The names of the group's files, in the patterns' order.
  package func names(stem: [UInt8]) -> [[UInt8]] {
    parts.map { $0.prefix + stem + $0.suffix }
  }
}
