internal import DTMRules
internal import DTMSystem
internal import SystemPackage

/// Collects what the files say.
struct ConfigurationLoader {
  private(set) var document = ConfigurationDecoder.Document()
  private(set) var folders: [ConfigurationDecoder.Folder] = []
  private(set) var files: [FilePath] = []
  private var errors: [ConfigurationError] = []

  // MARK: - Files

  mutating func readMain(_ location: ConfigurationLocation) {
    do throws(ConfigurationError) {
      takeMain(try Self.read(location.mainFile), file: location.mainFile)
    } catch {
      if error.code == .notFound && !location.isMainFileRequired { return }
      errors.append(error)
    }
  }

  mutating func takeMain(_ bytes: [UInt8], file: FilePath) {
    files.append(file)
    var decoder = ConfigurationDecoder(file: file)
    if let decoded = decoder.document(bytes) {
      document = decoded
      folders += decoded.folders
    }
    errors += decoder.errors
  }

  mutating func readDropIns(
    _ location: ConfigurationLocation, adding: (file: FilePath, bytes: [UInt8])?
  ) {
    let directory = location.dropInDirectory
    do throws(ConfigurationError) {
      for name in try Self.dropInNames(in: directory, adding: adding?.file.lastComponent?.string) {
        let file = directory.appending(name)
        do throws(ConfigurationError) {
          let bytes: [UInt8] =
            if let adding, adding.file == file { adding.bytes } else { try Self.read(file) }
          takeDropIn(bytes, file: file)
        } catch {
          errors.append(error)
        }
      }
    } catch {
      errors.append(error)
    }
  }

  private mutating func takeDropIn(_ bytes: [UInt8], file: FilePath) {
    files.append(file)
    var decoder = ConfigurationDecoder(file: file)
    if let folder = decoder.dropIn(bytes) { folders.append(folder) }
    errors += decoder.errors
  }

  private static func dropInNames(
    in directory: FilePath, adding: String?
  ) throws(ConfigurationError) -> [String] {
    var names: [[UInt8]] = []
    do throws(Errno) {
      let opened = try Descriptor.open(directory, [.readOnly, .directory])
      try opened.forEachEntry { entry throws(Errno) in names.append(entry.name) }
    } catch {
      if error != .noSuchFileOrDirectory {
        throw ConfigurationError("can't list this directory", path: directory, cause: error)
      }
    }
    if let adding, !names.contains(Array(adding.utf8)) { names.append(Array(adding.utf8)) }
    names.sort { $0.lexicographicallyPrecedes($1) }
    var result: [String] = []
    for name in names
    where name.first != UInt8(ascii: ".") && name.suffix(5).elementsEqual(".json".utf8) {
      guard name.isValidUTF8 else {
        throw ConfigurationError(
          .invalid, "the name of the drop-in file \(Quoting.path(name)) is not UTF-8",
          path: directory)
      }
      result.append(String(decoding: name, as: UTF8.self))
    }
    return result
  }

  private static func read(_ file: FilePath) throws(ConfigurationError) -> [UInt8] {
    let bytes: [UInt8]?
    do throws(Errno) {
      // Not blocking: a FIFO with no writer would hold us for ever.
      let opened = try Descriptor.open(file, [.readOnly, .nonBlocking])
      let isFile = try opened.status().kind == .file
      bytes = isFile ? try opened.readToEnd(limit: Configuration.largestFile) : nil
    } catch .fileTooLarge {
      throw ConfigurationError(
        .invalid, "this file is longer than \(HumanUnits.bytes(Configuration.largestFile))",
        path: file, cause: .fileTooLarge)
    } catch {
      throw ConfigurationError("can't read this file", path: file, cause: error)
    }
    guard let bytes else {
      throw ConfigurationError(.invalid, "this is not a regular file", path: file)
    }
    return bytes
  }

  // MARK: - The whole

  func configuration() throws(ConfigurationErrors) -> Configuration {
    let defaults = document.settle.applied(to: SettlePolicy())
    var result = Configuration(daemon: document.daemon, files: files)
    for folder in folders {
      guard let name = folder.name, let path = folder.path else { continue }
      result.folders.append(
        FolderConfiguration(
          name: name.text, path: path.path, repository: folder.repository?.path,
          ignore: document.ignore + folder.ignore, together: folder.together,
          settle: folder.settle.applied(to: defaults),
          rules: folder.rules, checks: folder.checks, keep: folder.keep ?? KeepPolicy(),
          guarding: folder.guarding, alert: folder.alert,
          source: ConfigurationSource(
            file: folder.file, line: folder.node.line, column: folder.node.column,
            isDropIn: folder.isDropIn)))
    }
    let all = errors + conflicts()
    if !all.isEmpty { throw ConfigurationErrors(inOrder(all)) }
    return result
  }

  /// By file in the order of reading, then by place; what concerns no file that was read is last.
  private func inOrder(_ errors: [ConfigurationError]) -> [ConfigurationError] {
    errors.enumerated()
      .map { item in
        let file = item.element.path.flatMap { files.firstIndex(of: $0) } ?? files.count
        return (
          key: [file, item.element.line ?? 0, item.element.column ?? 0, item.offset],
          error: item.element
        )
      }
      .sorted { $0.key.lexicographicallyPrecedes($1.key) }
      .map(\.error)
  }
}
