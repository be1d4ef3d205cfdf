internal import DTMSystem
internal import SystemPackage

/// A folder that is named as a command's argument.
struct FolderArgument {
  private let invocation: Invocation

  init(_ invocation: Invocation) {
    self.invocation = invocation
  }

  /// The directory at a path, absolute and without links. Throws `.notFound` where there is none.
  func existing(_ text: String) throws -> FilePath {
    let given = try invocation.absolute(text)
    do throws(Errno) {
      let path = try ProcessPlace.canonical(given)
      _ = try Descriptor.open(path, [.path, .directory])
      return path
    } catch {
      if error == .notDirectory {
        throw CommandFailure(.invalidInput, "\(Quoting.path(given)) is not a directory")
      }
      if error == .noSuchFileOrDirectory {
        throw CommandFailure(
          .notFound, "there is no folder \(Quoting.path(given))",
          hint: "mkdir \(Quoting.path(given)) makes one")
      }
      throw CommandFailure(error, "open \(Quoting.path(given))")
    }
  }

  /// Makes root act as the owner of a file or directory, whose the repository is (or becomes): then
  /// nothing that the owner may not read gets into it, and what is written stays the owner's.
  static func assumeOwner(of path: FilePath, _ invocation: Invocation) throws {
    guard invocation.user == 0 else { return }
    do throws(Errno) {
      let status = try Descriptor.open(path, [.path]).status()
      if status.uid == 0 { return }
      invocation.explain("acting as \(UserDirectory.name(ofUser: status.uid) ?? "\(status.uid)")")
      try ThreadIdentity.assume(uid: status.uid, group: status.gid)
    } catch {
      throw CommandFailure(error, "act as the owner of \(Quoting.path(path))")
    }
  }
}
