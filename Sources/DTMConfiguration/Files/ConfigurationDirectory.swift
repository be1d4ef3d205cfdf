internal import DTMSystem
internal import SystemPackage

/// The directory of drop-in files, opened once: nothing below resolves its path again.
struct ConfigurationDirectory {
  private let path: FilePath
  private let files: SystemFileOperations

  /// Opens the directory; with `creating` it and its parents are made where they are missing, with
  /// mode 0755, and durable.
  static func open(
    _ path: FilePath, creating: Bool
  ) throws(ConfigurationError) -> ConfigurationDirectory {
    do throws(Errno) {
      return ConfigurationDirectory(
        path: path, files: try files(in: path, creating: creating))
    } catch {
      throw ConfigurationError(
        creating ? "can't make this directory" : "can't open this directory", path: path,
        cause: error)
    }
  }

  private static func files(
    in path: FilePath, creating: Bool
  ) throws(Errno) -> SystemFileOperations {
    do throws(Errno) {
      // Not `SystemFileOperations(path:)`: an administrator may have put a link there.
      return SystemFileOperations(
        directory: try Descriptor.open(path, [.readOnly, .directory]))
    } catch {
      guard creating, error == .noSuchFileOrDirectory, let name = path.lastComponent?.string
      else { throw error }
      var parent = path
      parent.removeLastComponent()
      let outer = try files(in: parent.isEmpty ? "." : parent, creating: true)
      do throws(Errno) {
        try outer.makeDirectory(name, mode: 0o755)
      } catch {
        if error != .fileExists { throw error }
      }
      try outer.synchronizeDirectory("")
      return SystemFileOperations(
        directory: try Descriptor.open(path, [.readOnly, .directory]))
    }
  }

  /// Writes a file whole, mode 0644, under a name that is not there; durable after return.
  ///
  /// The file gets its name with link(2), which never replaces one. A crash in between leaves a
  /// file whose name begins with a dot: nobody reads those.
  func publish(_ bytes: [UInt8], as name: String) throws(ConfigurationError) {
    let random = SecureRandom.bytes(8).map(Quoting.hex).joined()
    let temporary = ".\(name).\(random)"
    do throws(Errno) {
      let file = try files.create(temporary, mode: 0o600)
      do throws(Errno) {
        try file.write(bytes, at: 0)
        // Not by the mode above: the umask would take bits away.
        try file.setMode(0o644)
        try file.synchronizeData()
        try files.link(file, as: name)
      } catch {
        // The first error is the one to tell; what is left begins with a dot.
        try files.remove(temporary)
        throw error
      }
      try files.remove(temporary)
      try files.synchronizeDirectory("")
    } catch {
      throw ConfigurationError(
        error == .fileExists ? "this drop-in file is there already" : "can't write this file",
        path: path.appending(name), cause: error)
    }
  }

  func remove(_ name: String) throws(ConfigurationError) {
    do throws(Errno) {
      try files.remove(name)
      try files.synchronizeDirectory("")
    } catch {
      throw ConfigurationError("can't remove this file", path: path.appending(name), cause: error)
    }
  }
}
