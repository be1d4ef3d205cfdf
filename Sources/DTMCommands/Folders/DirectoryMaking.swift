internal import DTMSystem
internal import SystemPackage

/// Makes directories.
enum DirectoryMaking {
  /// The directory at an absolute path, made where it is missing, its parents too (with mode 0755);
  /// their names are durable after return.
  static func directory(
    _ path: FilePath, mode: UInt32, parentMode: UInt32 = 0o755
  ) throws(Errno) -> SystemFileOperations {
    do throws(Errno) {
      return SystemFileOperations(directory: try Descriptor.open(path, [.readOnly, .directory]))
    } catch {
      guard error == .noSuchFileOrDirectory, let name = path.lastComponent?.string else {
        throw error
      }
      let parent = try directory(path.removingLastComponent(), mode: parentMode)
      do throws(Errno) { try parent.makeDirectory(name, mode: mode) } catch {
        if error != .fileExists { throw error }
      }
      try parent.synchronizeDirectory("")
      return SystemFileOperations(directory: try Descriptor.open(path, [.readOnly, .directory]))
    }
  }
}
