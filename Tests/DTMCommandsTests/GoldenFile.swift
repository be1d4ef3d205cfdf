import DTMSystem
import Glibc
import SystemPackage
import Testing

/// Text that is kept in a file beside the tests; `DTM_UPDATE_GOLDEN=1` writes it anew.
enum GoldenFile {
  private static var directory: FilePath {
    FilePath(#filePath).removingLastComponent().appending("Golden")
  }

  private static var isUpdated: Bool {
    unsafe getenv("DTM_UPDATE_GOLDEN").map { unsafe String(cString: $0) } == "1"
  }

  static func expect(_ text: String, is name: String) throws {
    let path = directory.appending(name)
    if isUpdated {
      let file = try Descriptor.open(path, [.writeOnly, .create, .truncate], mode: 0o644)
      try file.write(Array(text.utf8), at: 0)
      return
    }
    let bytes = try Descriptor.open(path, .readOnly).readToEnd()
    let wanted = String(decoding: bytes, as: UTF8.self)
    #expect(text == wanted, "\(name) differs; DTM_UPDATE_GOLDEN=1 writes it anew")
  }
}

/// Text with what differs from run to run replaced.
///
/// Ids become `<id 1>`, `<id 2>` in the order in which they come, at the length at which they stand.
struct Anonymous {
  private var names: [Substring: Int] = [:]

  /// `known`: whole ids, whose short forms are recognised too.
  static func text(_ text: String, ids: [String], replacing words: [(String, String)]) -> String {
    var result = text
    for (number, id) in ids.enumerated() {
      result = replace(id, "<id \(number + 1)>", in: result)
      result = replace(String(id.prefix(8)), "<\(number + 1)>....", in: result)
    }
    for (word, replacement) in words { result = replace(word, replacement, in: result) }
    return result
  }

  private static func replace(_ word: String, _ replacement: String, in text: String) -> String {
    if word.isEmpty { return text }
    var result = ""
    var rest = text[...]
    while let range = rest.firstRange(of: word) {
      result += rest[..<range.lowerBound] + replacement
      rest = rest[range.upperBound...]
    }
    return result + rest
  }
}
