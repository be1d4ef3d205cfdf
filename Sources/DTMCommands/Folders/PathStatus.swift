internal import DTMSystem
internal import SystemPackage

/// What is at a path.
enum PathStatus {
  /// The status of what is there, a link followed; nil where nothing is.
  static func of(_ path: FilePath) throws(CommandFailure) -> FileStatus? {
    do throws(Errno) { return try Descriptor.open(path, [.path]).status() } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw CommandFailure(error, "look at \(Quoting.path(path))")
    }
  }

  /// The path, which need not be there, with no links on the way to it; nil where its directory is not there.
  static func canonicalPlace(of path: FilePath) throws(CommandFailure) -> FilePath? {
    guard let name = path.lastComponent else { return nil }
    return try canonical(path.removingLastComponent())?.appending(name)
  }

  /// The path without links; nil where nothing is there.
  static func canonical(_ path: FilePath) throws(CommandFailure) -> FilePath? {
    do throws(Errno) { return try ProcessPlace.canonical(path) } catch {
      if error == .noSuchFileOrDirectory || error == .notDirectory { return nil }
      throw CommandFailure(error, "look at \(Quoting.path(path))")
    }
  }
}
