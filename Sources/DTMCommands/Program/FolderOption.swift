/// `-C DIR` and `--folder DIR`, which stand before the command.
package enum FolderOption {
  /// Takes the option off; the last one counts. One without a value stays, for the parser to refuse.
  package static func taken(from arguments: [String]) -> (folder: String?, rest: [String]) {
    var folder: String?
    var rest = arguments[...]
    while let first = rest.first {
      if first == "-C" || first == "--folder", rest.count > 1 {
        folder = rest[rest.startIndex + 1]
        rest = rest.dropFirst(2)
      } else if first.hasPrefix("--folder=") {
        folder = String(first.dropFirst("--folder=".count))
        rest = rest.dropFirst()
      } else if first.hasPrefix("-C"), first.utf8.count > 2 {
        folder = String(first.dropFirst(2))
        rest = rest.dropFirst()
      } else {
        break
      }
    }
    return (folder, Array(rest))
  }
}
