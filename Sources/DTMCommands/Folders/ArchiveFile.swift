internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// The file that an archive is written to. It has no name before it is whole.
final class ArchiveFile {
  private static let temporaryPrefix = ".dtm-export-"

  private let path: FilePath
  private let directory: OpenEntryHolder
  private let file: OpenEntryHolder
  /// Where the file system knows no files without a name.
  private let temporaryName: [UInt8]?
  private var isNamed = false
  private(set) var length = 0

  /// Begins the file in its directory, which is there.
  init(_ path: FilePath) throws(CommandFailure) {
    self.path = path
    do throws(Errno) {
      let parent = path.removingLastComponent()
      directory = OpenEntryHolder(try Descriptor.open(parent, [.readOnly, .directory]))
      do throws(Errno) {
        file = OpenEntryHolder(
          try directory.descriptor.open([UInt8(ascii: ".")], [.readWrite, .unnamed], mode: 0o600))
        temporaryName = nil
      } catch {
        guard error == .notSupported || error == .isDirectory || error == .notSupportedOnSocket
        else { throw error }
        let name = Array((Self.temporaryPrefix + Hex.string(SecureRandom.bytes(8))).utf8)
        file = OpenEntryHolder(
          try directory.descriptor.open(
            name, [.readWrite, .create, .exclusive, .noFollow], mode: 0o600))
        temporaryName = name
      }
    } catch {
      throw CommandFailure(error, "create \(Quoting.path(path))")
    }
  }

  deinit {
    // What is not whole is taken away; nobody is left to hear that it could not be.
    if let temporaryName, !isNamed { try? directory.descriptor.remove(temporaryName) }
  }

  func write(_ bytes: [UInt8]) throws(Errno) {
    try file.descriptor.write(bytes, at: length)
    length += bytes.count
  }

  /// Makes it durable and gives it its name; `replaces`: in the place of what is there.
  func finish(replaces: Bool) throws(CommandFailure) {
    do throws(Errno) {
      try file.descriptor.synchronizeData()
      let wanted = Array(path.bytes.split(separator: UInt8(ascii: "/")).last ?? [])
      if let temporaryName {
        try directory.descriptor.rename(temporaryName, to: wanted, replaces ? .replace : .refuse)
      } else if replaces {
        let between = Array((Self.temporaryPrefix + Hex.string(SecureRandom.bytes(8))).utf8)
        try directory.descriptor.link(file.descriptor, as: between)
        try directory.descriptor.rename(between, to: wanted)
      } else {
        try directory.descriptor.link(file.descriptor, as: wanted)
      }
      isNamed = true
      try directory.descriptor.synchronize()
    } catch .fileExists {
      throw Self.present(path)
    } catch {
      throw CommandFailure(error, "create \(Quoting.path(path))")
    }
  }

  static func present(_ path: FilePath) -> CommandFailure {
    CommandFailure(
      .exists, "\(Quoting.path(path)) is there already", hint: "--overwrite replaces it")
  }
}

/// A descriptor that a class can hold while it is made.
final class OpenEntryHolder {
  let descriptor: Descriptor

  init(_ descriptor: consuming Descriptor) {
    self.descriptor = descriptor
  }
}
