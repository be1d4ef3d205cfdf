package import DTMSystem
internal import SystemPackage

extension Folder {
  /// Whether somebody may have one of these files open for writing, or mapped so: a read lease is
  /// asked for on each (`Descriptor.hasNoWriter`).
  ///
  /// True where that can't be told; a file that is not there has no writer.
  package func isOpenForWriting(_ files: [PathKey]) -> Bool {
    var walker = PathWalker(root, ignoring: scope)
    return files.contains { key in
      guard let parent = key.parent, case .arrived(let directory, _) = walker.enter(parent) else {
        return false
      }
      do throws(Errno) {
        let file = try directory.descriptor.openOnSameMount(key.name, [.readOnly, .nonBlocking])
        if try file.status().kind != .file { return false }
        return try file.hasNoWriter() != true
      } catch {
        return error != .noSuchFileOrDirectory
      }
    }
  }
}
