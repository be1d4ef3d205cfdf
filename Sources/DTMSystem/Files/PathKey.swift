/// A path beneath a data folder: its components joined by NUL, compared bytewise.
///
/// Names are bytes and never decoded. A directory sorts right before everything beneath it, and
/// what is beneath it is one range. The empty key is the folder itself.
package struct PathKey: Hashable, Comparable, Sendable {
  /// The components joined by NUL.
  package var bytes: [UInt8]

  /// The folder itself.
  package static let root = PathKey(bytes: [])

  /// `bytes`: components joined by NUL; empty for the root.
  package init(bytes: [UInt8]) {
    self.bytes = bytes
  }

  /// The key of a path with `/` between its components; empty components and `.` are left out.
  ///
  /// Returns nil where a component is `..` or holds a NUL.
  package init?(path: [UInt8]) {
    if path.contains(0) { return nil }
    var result = PathKey.root
    for part in path.split(separator: UInt8(ascii: "/")) {
      if part.elementsEqual([UInt8(ascii: ".")]) { continue }
      if part.elementsEqual([UInt8(ascii: "."), UInt8(ascii: ".")]) { return nil }
      result = result.appending(Array(part))
    }
    self = result
  }

  /// The same from text.
  package init?(_ path: String) {
    self.init(path: Array(path.utf8))
  }

  package static func < (left: PathKey, right: PathKey) -> Bool {
    left.comparison(with: right) < 0
  }

  /// Negative where this comes before another, 0 where both are the same, else positive.
  package func comparison(with other: PathKey) -> Int {
    bytes.span.comparison(with: other.bytes.span)
  }

  /// Whether it is the folder itself.
  package var isRoot: Bool { bytes.isEmpty }

  /// The names on the way, outermost first; none for the folder itself.
  package var components: [[UInt8]] {
    bytes.isEmpty ? [] : bytes.split(separator: 0, omittingEmptySubsequences: false).map(Array.init)
  }

  /// The last component; empty for the folder itself.
  package var name: [UInt8] {
    guard let cut = bytes.lastIndex(of: 0) else { return bytes }
    return Array(bytes[(cut + 1)...])
  }

  /// The directory that holds this path; nil for the folder itself.
  package var parent: PathKey? {
    if bytes.isEmpty { return nil }
    guard let cut = bytes.lastIndex(of: 0) else { return .root }
    return PathKey(bytes: Array(bytes[..<cut]))
  }

  /// The key of a name in this directory.
  package func appending(_ name: [UInt8]) -> PathKey {
    var key = PathKey(bytes: [])
    key.bytes.reserveCapacity(bytes.count + 1 + name.count)
    key.bytes += bytes
    if !bytes.isEmpty { key.bytes.append(0) }
    key.bytes += name
    return key
  }

  /// Whether this is a path beneath `directory` (not the directory itself).
  package func isBeneath(_ directory: PathKey) -> Bool {
    if directory.bytes.isEmpty { return !bytes.isEmpty }
    return bytes.count > directory.bytes.count && bytes[directory.bytes.count] == 0
      && bytes.starts(with: directory.bytes)
  }

  /// The path with `/` between its components, as bytes; empty for the folder itself.
  package var path: [UInt8] {
    bytes.map { $0 == 0 ? UInt8(ascii: "/") : $0 }
  }
}
