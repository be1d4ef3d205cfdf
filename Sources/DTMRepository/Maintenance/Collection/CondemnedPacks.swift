internal import DTMSystem
internal import SystemPackage

/// The packs that a collection has condemned: they stand in `trash/` under their own names until
/// nobody can need them any more.
///
/// While they stand there they count as packs for readers. Whatever is cut off in between, a later
/// collection goes on from what stands there.
struct CondemnedPacks {
  static let directory = "trash"

  private let files: any FileOperations

  init(_ files: any FileOperations) {
    self.files = files
  }

  /// Those that are there, by id.
  func names() throws(RepositoryError) -> [(id: PackID, kind: PackKind)] {
    let names = try onFile(Self.directory, "list") { () throws(Errno) in
      try files.list(Self.directory)
    }
    return names.compactMap { PackFile.parse($0) }.map { (id: $0.0, kind: $0.1) }
      .sorted { $0.id < $1.id }
  }

  /// Those that are there, opened. What another process deletes meanwhile, and what is damaged, is
  /// left out.
  func packs() throws(RepositoryError) -> [PackFile] {
    var packs: [PackFile] = []
    for (id, kind) in try names() {
      do throws(RepositoryError) {
        packs.append(try PackFile(sealed: id, kind, in: Self.directory, files: files))
      } catch {
        guard error.code == .notFound || error.code == .corrupt else { throw error }
      }
    }
    return packs
  }

  /// Takes sealed packs out of `packs/`; after return that is durable.
  func condemn(_ packs: [(id: PackID, kind: PackKind)]) throws(RepositoryError) {
    if packs.isEmpty { return }
    for (id, kind) in packs {
      try move(id, kind, from: "packs", to: Self.directory)
    }
    // The new names first: a crash in between leaves two rather than none.
    try synchronize(Self.directory)
    try synchronize("packs")
  }

  /// Puts condemned packs back into `packs/`; after return that is durable.
  func rescue(_ packs: [(id: PackID, kind: PackKind)]) throws(RepositoryError) {
    if packs.isEmpty { return }
    for (id, kind) in packs {
      try move(id, kind, from: Self.directory, to: "packs")
    }
    try synchronize("packs")
    // Where a crash has left both names, renaming one to the other did nothing.
    try delete(packs)
    try synchronize(Self.directory)
  }

  /// Takes the second name from packs that a crash has left with both: nobody has condemned them.
  func settle() throws(RepositoryError) {
    let there = try onFile("packs", "list") { () throws(Errno) in try files.list("packs") }
    let present = Set(there.compactMap { PackFile.parse($0)?.0 })
    let twice = try names().filter { present.contains($0.id) }
    if twice.isEmpty { return }
    try synchronize("packs")
    try delete(twice)
    try synchronize(Self.directory)
  }

  /// Deletes condemned packs. Not synchronised: what a crash brings back is condemned still.
  func delete(_ packs: [(id: PackID, kind: PackKind)]) throws(RepositoryError) {
    for (id, kind) in packs {
      let name = "\(Self.directory)/\(PackFile.fileName(id, kind))"
      try onFile(name, "delete") { () throws(Errno) in
        do throws(Errno) { try files.remove(name) } catch {
          if error != .noSuchFileOrDirectory { throw error }
        }
      }
    }
  }

  private func move(
    _ id: PackID, _ kind: PackKind, from: String, to: String
  ) throws(RepositoryError) {
    let fileName = PackFile.fileName(id, kind)
    try onFile("\(from)/\(fileName)", "move") { () throws(Errno) in
      try files.rename("\(from)/\(fileName)", to: "\(to)/\(fileName)")
    }
  }

  private func synchronize(_ directory: String) throws(RepositoryError) {
    try onFile(directory, "fsync") { () throws(Errno) in try files.synchronizeDirectory(directory) }
  }
}
