internal import DTMSystem
internal import SystemPackage

/// Held by the one that frees room in a repository: a collection, an erasure, or a repair.
final class CollectLock {
  static let name = "locks/collect"

  private let file: any OpenFile

  /// Throws `.locked` when another holds it; dropped with the last reference, at the latest with the
  /// process.
  init(_ files: any FileOperations) throws(RepositoryError) {
    let file: any OpenFile
    do throws(Errno) {
      file = try Self.openOrCreate(files)
      guard try file.lock(.exclusive, wait: false) else { throw .resourceTemporarilyUnavailable }
    } catch {
      if error == .resourceTemporarilyUnavailable {
        throw RepositoryError(
          .locked, "another process is collecting or repairing the repository", file: Self.name)
      }
      throw RepositoryError(error, "lock", file: Self.name)
    }
    self.file = file
  }

  private static func openOrCreate(_ files: any FileOperations) throws(Errno) -> any OpenFile {
    do throws(Errno) { return try files.open(name, writable: true) } catch {
      if error != .noSuchFileOrDirectory { throw error }
    }
    do throws(Errno) { return try files.create(name, mode: 0o600) } catch {
      if error != .fileExists { throw error }
      return try files.open(name, writable: true)
    }
  }
}
