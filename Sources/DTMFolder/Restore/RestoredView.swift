internal import DTMRepository
internal import DTMSystem
package import SystemPackage

/// A snapshot laid out whole in a directory of its own, for a command to look at; gone with the last
/// reference.
package final class RestoredView {
  /// Where it is; mode 0700.
  package let path: FilePath
  private let parent: FilePath
  private let name: [UInt8]

  /// `directory`: where it is made, `/tmp` say. Throws what a restore throws, also where not all could be
  /// laid out.
  package init(
    of known: KnownSnapshot, in folder: Folder, beneath directory: FilePath
  ) throws(FolderError) {
    parent = directory
    name = Array("dtm-view-\(Hex.string(SecureRandom.bytes(6)))".utf8)
    path = directory.appending(String(decoding: name, as: UTF8.self))
    do throws(Errno) {
      try SystemFileOperations(path: directory).makeDirectory(
        String(decoding: name, as: UTF8.self), mode: 0o700)
    } catch {
      throw FolderError(error, "make", path.string)
    }
    var request = RestoreRequest(.snapshot(known))
    request.destination = path
    let outcome: RestoreOutcome
    do throws(FolderError) {
      outcome = try folder.restore(request)
    } catch {
      remove()
      throw error
    }
    if let damaged = outcome.damaged.first {
      remove()
      throw FolderError(
        .corrupt, "\(Quoting.path(damaged)) of \(known.id.short) is damaged", path: damaged)
    }
  }

  deinit { remove() }

  private func remove() {
    do throws(Errno) {
      var remover = TreeRemover(try FolderRoot(parent))
      try remover.remove(PathKey(bytes: name))
    } catch {
      // What a command made unreadable in its view stays in the temporary directory.
    }
  }
}
