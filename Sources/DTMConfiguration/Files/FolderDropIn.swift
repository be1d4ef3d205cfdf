internal import DTMSystem
package import SystemPackage

/// A folder in a file of its own, as `dtm protect` writes it and `dtm unprotect` removes it.
package struct FolderDropIn: Sendable, Hashable {
  /// Also the file's name, without `.json`.
  package var name: String
  /// Absolute, without `.` and `..`.
  package var path: FilePath
  /// Absolute; nil leaves the key out.
  package var repository: FilePath?
  /// Patterns as in .gitignore; none leaves the key out.
  package var ignore: [String]
  /// What differs from `defaults`; nothing leaves the key out.
  package var settle: SettleOverrides

  package init(
    name: String, path: FilePath, repository: FilePath? = nil, ignore: [String] = [],
    settle: SettleOverrides = SettleOverrides()
  ) {
    self.name = name
    self.path = path
    self.repository = repository
    self.ignore = ignore
    self.settle = settle
  }

  /// The file that it is written to: the folder's name with `.json`.
  package func file(in location: ConfigurationLocation) -> FilePath {
    location.dropInDirectory.appending(name + ".json")
  }

  /// Its JSON, with the keys that say something, and a line end.
  package var bytes: [UInt8] {
    var writer = JSONWriter(pretty: true)
    writer.object { writer in
      writer.field(FolderKey.name.rawValue, name)
      writer.field(FolderKey.path.rawValue, path.string)
      if let repository { writer.field(FolderKey.repository.rawValue, repository.string) }
      if !ignore.isEmpty { writer.field(FolderKey.ignore.rawValue, strings: ignore) }
      if !settle.isEmpty { writer.object(FolderKey.settle.rawValue) { settle.write(to: &$0) } }
    }
    writer.endLine()
    return writer.bytes
  }

  /// Writes the file, mode 0644, making its directory where there is none; returns its path.
  ///
  /// The whole configuration is checked with it first, so that a daemon never reads one that it has
  /// to refuse. After return the file is durable. Throws `.exists` where the file is there, also
  /// one that came a moment before; what is there is never replaced. Blocking.
  package func write(
    to location: ConfigurationLocation
  ) throws(ConfigurationErrors) -> FilePath {
    try check(in: location)
    let file = file(in: location)
    do throws(ConfigurationError) {
      try ConfigurationDirectory.open(location.dropInDirectory, creating: true)
        .publish(bytes, as: name + ".json")
    } catch {
      throw ConfigurationErrors([error])
    }
    return file
  }

  /// Throws what `write` would throw for what is there now. Makes nothing.
  package func check(in location: ConfigurationLocation) throws(ConfigurationErrors) {
    let file = file(in: location)
    do throws(ConfigurationError) {
      try checkWritable(file)
    } catch {
      throw ConfigurationErrors([error])
    }
    _ = try Configuration.load(from: location, adding: (file, bytes))
  }

  /// What can't be written at all, or is there.
  private func checkWritable(_ file: FilePath) throws(ConfigurationError) {
    if let fault = FolderName.fault(of: name) {
      throw ConfigurationError(
        .invalid, "\"\(Quoting.path(Array(name.utf8)))\" can't be a folder's name: \(fault)")
    }
    for path in [path, repository].compactMap(\.self) where !path.bytes.isValidUTF8 {
      throw ConfigurationError(
        .invalid, "a configuration can't name this path: it is not UTF-8", path: path)
    }
    do throws(Errno) {
      _ = try Descriptor.open(file, [.path, .noFollow])
    } catch {
      if error == .noSuchFileOrDirectory { return }
      throw ConfigurationError("can't look for this file", path: file, cause: error)
    }
    throw ConfigurationError(.exists, "this drop-in file is there already", path: file)
  }

  /// Removes the drop-in file of the folder with this name; returns its path.
  ///
  /// Throws `.notFound` where no folder has the name, `.invalid` where the folder stands in the main
  /// file (its place is in the error): that file is its author's. After return the removal is
  /// durable. Blocking.
  package static func remove(
    folderNamed name: String, from location: ConfigurationLocation
  ) throws(ConfigurationErrors) -> FilePath {
    let configuration = try Configuration.load(from: location)
    do throws(ConfigurationError) {
      guard let source = configuration.folder(named: name)?.source else {
        throw ConfigurationError(
          .notFound,
          "the configuration has no folder \"\(Quoting.path(Array(name.utf8)))\"",
          hint: editDistanceNearest(name, among: configuration.folders.map(\.name))
            .map { "did you mean \"\($0)\"?" })
      }
      guard source.isDropIn, let file = source.file.lastComponent?.string else {
        throw ConfigurationError(
          .invalid, "this folder stands in the main configuration file",
          hint: "remove it there, then reload the daemon", path: source.file, line: source.line,
          column: source.column)
      }
      try ConfigurationDirectory.open(location.dropInDirectory, creating: false).remove(file)
      return source.file
    } catch {
      throw ConfigurationErrors([error])
    }
  }
}
