import DTMSystem
import Glibc
import SystemPackage

/// A directory of a test's own, removed with everything in it when the test ends.
final class Scratch {
  let path: FilePath

  init() throws {
    var template = Array("/tmp/dtm-configuration-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
    guard unsafe mkdtemp(&template) != nil else { throw Errno.current }
    path = FilePath(
      String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self))
  }

  deinit {
    Self.remove(path)
  }

  func write(_ text: String, to name: String) throws {
    try write(Array(text.utf8), to: name)
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    let file = path.pushing(FilePath(name))
    makeDirectory(file.removingLastComponent())
    try Descriptor.open(file, [.writeOnly, .create, .truncate], mode: 0o644).write(bytes, at: 0)
  }

  func makeDirectory(_ directory: FilePath) {
    if directory == path { return }
    makeDirectory(directory.removingLastComponent())
    unsafe mkdir(directory.string, 0o755)
  }

  func names(in name: String) throws -> [String] {
    var names: [String] = []
    try Descriptor.open(path.pushing(FilePath(name)), [.readOnly, .directory]).forEachEntry {
      names.append(String(decoding: $0.name, as: UTF8.self))
    }
    return names.sorted()
  }

  func read(_ name: String) throws -> String {
    let bytes = try Descriptor.open(path.pushing(FilePath(name)), [.readOnly]).readToEnd()
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func remove(_ path: FilePath) {
    if let directory = try? Descriptor.open(path, [.readOnly, .directory, .noFollow]) {
      try? directory.forEachEntry { entry in
        remove(path.appending(String(decoding: entry.name, as: UTF8.self)))
      }
    }
    unsafe Glibc.remove(path.string)
  }
}
