/// The names of one folder's refs (format: The ref log).
package struct FolderRefs: Sendable, Hashable {
  /// The folder, by its id in the repository.
  package let folder: PackID

  package init(_ folder: PackID) {
    self.folder = folder
  }

  private var prefix: String { "folders/\(folder.hex)/" }

  /// → the name of a branch.
  package var head: String { prefix + "HEAD" }
  /// → the folder's absolute path when it was last used.
  package var root: String { prefix + "root" }
  /// → a snapshot.
  package func branch(_ name: String) -> String { branches + name }
  /// The ref of one tag, and of one pinned snapshot.
  package func tag(_ name: String) -> String { tags + name }
  /// The ref of a pinned snapshot.
  package func pin(_ snapshot: ObjectID) -> String { prefix + "pins/" + snapshot.hex }

  /// What all branches' refs begin with; likewise below.
  package var branches: String { prefix + "branches/" }
  /// What the refs of all tags, and of all pins, begin with.
  package var tags: String { prefix + "tags/" }
  package var pins: String { prefix + "pins/" }
  /// → the snapshot before the damage that the guard saw in this one.
  package func guardHold(_ snapshot: ObjectID) -> String { guardHolds + snapshot.hex }
  /// What the refs of all of them begin with.
  package var guardHolds: String { prefix + "holds/" }

  /// Why a name can't be a branch's or a tag's; nil where it can.
  ///
  /// As in git: letters, digits and most marks, parts split by `/`; nothing that reads as another form
  /// of naming a snapshot.
  package static func objection(to name: String) -> String? {
    let bytes = Array(name.utf8)
    if bytes.isEmpty { return "it is empty" }
    if bytes.count > 200 { return "it is longer than 200 bytes" }
    if name == "HEAD" || name == "WORKING" { return "\(name) has a meaning of its own" }
    if let first = bytes.first,
      [UInt8(ascii: "-"), UInt8(ascii: "@"), UInt8(ascii: ".")].contains(first)
    {
      return "it begins with \(Character(UnicodeScalar(first)))"
    }
    let forbidden = Array(" ~^:?*[\\={}\"'".utf8)
    for byte in bytes where byte < 0x21 || byte == 0x7F || forbidden.contains(byte) {
      return
        "it holds \(byte < 0x21 || byte == 0x7F ? "white space or a control character" : String(UnicodeScalar(byte)))"
    }
    if name.contains("..") || name.contains("@{") || name.contains("//") || name.hasSuffix("/")
      || name.hasPrefix("/")
    {
      return "it holds .., @{, // or a / at an end"
    }
    if bytes.count == 64, ObjectID(hex: name) != nil { return "it reads as a snapshot's id" }
    return nil
  }
}
