package import DTMSystem

/// The ignore patterns that hold in one directory: those of its own `.dtmignore`, then those of
/// the directories above, then the configuration's.
///
/// The nearest file decides, in it the last pattern that matches. Immutable, and shared between
/// the directories that have no file of their own.
package final class IgnoreScope: Sendable {
  /// The name of an ignore file.
  package static let fileName = Array(".dtmignore".utf8)
  /// More than this of an ignore file is not read.
  static let fileLimit = 4 << 20

  private let outer: IgnoreScope?
  /// Bytes of the key of the file's directory, the separator behind it included.
  private let baseLength: Int
  private let patterns: [IgnorePattern]

  private init(outer: IgnoreScope?, baseLength: Int, patterns: [IgnorePattern]) {
    self.outer = outer
    self.baseLength = baseLength
    self.patterns = patterns
  }

  /// The folder's outermost scope: the configuration's patterns, as if in a file above the root.
  package convenience init(configured patterns: [String]) {
    self.init(
      outer: nil, baseLength: 0,
      patterns: patterns.compactMap { IgnorePattern(line: Array($0.utf8)) })
  }

  /// The scope in a directory that has an ignore file with these bytes.
  package func entering(_ directory: PathKey, file: [UInt8]) -> IgnoreScope {
    let patterns = IgnorePattern.parse(file)
    if patterns.isEmpty { return self }
    return IgnoreScope(
      outer: isEmpty ? nil : self,
      baseLength: directory.isRoot ? 0 : directory.bytes.count + 1, patterns: patterns)
  }

  /// Whether nothing can be ignored here.
  package var isEmpty: Bool { patterns.isEmpty && outer == nil }

  /// Whether a path is ignored, given that no directory above it is.
  ///
  /// `key`: the whole key, beneath the directory of this scope.
  package func ignores(_ key: [UInt8], isDirectory: Bool) -> Bool {
    var scope: IgnoreScope? = self
    let whole = key.map { $0 == 0 ? UInt8(ascii: "/") : $0 }
    while let current = scope {
      if !current.patterns.isEmpty {
        let path = current.baseLength == 0 ? whole : Array(whole[current.baseLength...])
        let nameStart = (path.lastIndex(of: UInt8(ascii: "/")) ?? -1) + 1
        for pattern in current.patterns.reversed()
        where pattern.matches(path: path, nameStart: nameStart, isDirectory: isDirectory) {
          return !pattern.isNegated
        }
      }
      scope = current.outer
    }
    return false
  }
}
