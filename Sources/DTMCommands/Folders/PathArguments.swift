internal import DTMFolder
internal import DTMSystem
internal import SystemPackage

/// Paths of the command line: relative to the working directory where that lies in the folder, else to
/// the folder.
struct PathArguments {
  private let folder: [[UInt8]]
  /// Where relative paths begin, as components.
  private let base: [[UInt8]]

  init(_ invocation: Invocation, _ location: FolderLocation) throws {
    folder = Self.components(location.folder.bytes)
    let directory = Self.components(try invocation.workingDirectory().bytes)
    base = directory.starts(with: folder) ? directory : folder
  }

  /// The path beneath the folder that a text names.
  ///
  /// Throws for one that is empty, or leads out of the folder.
  func key(_ text: String) throws -> PathKey {
    let bytes = RawArguments.bytes(of: text)
    if bytes.isEmpty {
      // A variable that is not set, more likely than the folder.
      throw CommandFailure(.usage, "a path is empty", hint: ". is the folder itself")
    }
    let isAbsolute = bytes.first == UInt8(ascii: "/")
    let parts = Self.components(bytes)
    var found = Self.normalized(isAbsolute ? parts : base + parts)
    if isAbsolute, !found.starts(with: folder) {
      // A link may be on its way: of the part that is there, the true place counts.
      found = try Self.canonical(bytes) ?? found
    }
    guard found.starts(with: folder) else {
      throw CommandFailure(
        .invalidInput, "\(Quoting.path(bytes)) is not in the folder",
        hint: "paths are relative to the working directory, or to the folder from outside of it")
    }
    return found.dropFirst(folder.count).reduce(PathKey.root) { $0.appending($1) }
  }

  func keys(_ texts: [String]) throws -> [PathKey] {
    try texts.map(key)
  }

  private static func components(_ path: [UInt8]) -> [[UInt8]] {
    path.split(separator: UInt8(ascii: "/")).map(Array.init)
  }

  private static func normalized(_ parts: [[UInt8]]) -> [[UInt8]] {
    var result: [[UInt8]] = []
    for part in parts {
      if part == Array(".".utf8) { continue }
      if part == Array("..".utf8) { _ = result.popLast() } else { result.append(part) }
    }
    return result
  }

  private static func canonical(_ path: [UInt8]) throws(CommandFailure) -> [[UInt8]]? {
    try PathStatus.canonicalPlace(of: FilePath(bytes: path)).map { components($0.bytes) }
  }
}
