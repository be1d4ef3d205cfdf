internal import DTMSystem
internal import SystemPackage

/// Moves damaged files out of the way, into `trash/`, where nobody reads or deletes them but the user.
struct SetAside {
  private let files: any FileOperations
  /// From where to where, relative to the repository's root.
  private(set) var moved: [(from: String, to: String)] = []

  init(_ files: any FileOperations) {
    self.files = files
  }

  /// Moves a file; after return that is durable. Nothing is done where it is not there (any more).
  mutating func move(_ name: String) throws(RepositoryError) {
    let target = try target(of: name)
    do throws(Errno) {
      try files.rename(name, to: target)
      // The new name first: a crash in between leaves two names rather than none.
      try files.synchronizeDirectory("trash")
      let directory = name.lastIndex(of: "/").map { String(name[..<$0]) } ?? ""
      try files.synchronizeDirectory(directory)
    } catch {
      if error == .noSuchFileOrDirectory { return }
      throw RepositoryError(error, "set aside", file: name)
    }
    moved.append((name, target))
  }

  /// `trash/damaged-packs-<uuid>.data`, with a number behind it where that is taken.
  private func target(of name: String) throws(RepositoryError) -> String {
    let taken = try onFile("trash", "list") { () throws(Errno) in try files.list("trash") }
    let base = "damaged-" + name.split(separator: "/").joined(separator: "-")
    var candidate = base
    var number = 1
    while taken.contains(candidate) {
      candidate = "\(base).\(number)"
      number += 1
    }
    return "trash/" + candidate
  }
}
