internal import DTMSystem

/// What a key has to be (format: Conventions).
enum KeyRule {
  /// One less than the key bytes that end a page, which so has two entries at least.
  static let maximumLength = 65_535

  /// What is wrong with the key `bytes[start ..< end]`, or nil.
  ///
  /// `known`: so many bytes at its begin are the same as in a key that was found good before.
  static func flaw(_ bytes: [UInt8], from start: Int, to end: Int, known: Int = 0) -> String? {
    if end - start > maximumLength { return "a key of \(end - start) bytes is too long" }
    if end == start { return nil }
    let span = bytes.span
    // The component that the known part breaks off in has to be seen whole.
    var component = start + known
    while component > start && span[component - 1] != 0 { component -= 1 }
    var index = component
    while index <= end {
      if index == end || span[index] == 0 {
        let length = index - component
        if length == 0 { return "a key has an empty component" }
        if length <= 2, span[component] == dot, span[index - 1] == dot {
          return "a key has a component . or .."
        }
        component = index + 1
      } else if span[index] == slash {
        return "a key has a / in it"
      }
      index += 1
    }
    return nil
  }

  private static let dot = UInt8(ascii: ".")
  private static let slash = UInt8(ascii: "/")
}

/// Holds that each key's parent is a directory, along entries in key order.
///
/// The ancestors of the last key are directories already; so the next key's parent must be one of
/// them, or the last key itself.
struct ParentRule {
  /// Nil where the entries before are not known: then the next one is taken on trust.
  private var last: PathKey?
  private var lastIsDirectory = false

  /// Begins before the first entry of a tree: that has to be the folder itself.
  init() {
    last = PathKey.root
  }

  /// Forgets what came before, as where a page could not be read.
  mutating func forget() { last = nil }

  /// Goes on behind an entry whose ancestors are directories.
  mutating func resume(after key: PathKey, isDirectory: Bool) {
    last = key
    lastIsDirectory = isDirectory
  }

  /// Whether the parent of the next entry is there and a directory; goes on behind the entry.
  mutating func accepts(_ key: PathKey, isDirectory: Bool) -> Bool {
    let isGood = hasParent(key, isDirectory: isDirectory)
    resume(after: key, isDirectory: isDirectory)
    return isGood
  }

  private func hasParent(_ key: PathKey, isDirectory: Bool) -> Bool {
    guard !key.bytes.isEmpty else { return isDirectory }
    guard let last else { return true }
    let keySpan = key.bytes.span
    let lastSpan = last.bytes.span
    var parentLength = keySpan.count - 1
    while parentLength > 0 && keySpan[parentLength] != 0 { parentLength -= 1 }
    guard parentLength <= lastSpan.count else { return false }
    for index in 0..<parentLength where keySpan[index] != lastSpan[index] { return false }
    if parentLength == lastSpan.count { return lastIsDirectory }
    // The folder itself is every key's ancestor.
    return parentLength == 0 || lastSpan[parentLength] == 0
  }
}
