package import SystemPackage

extension Quoting {
  /// A path for people: its own bytes, quoted as names are.
  package static func path(_ path: FilePath) -> String {
    self.path(path.bytes)
  }

  /// A path as one word of a command line.
  package static func shell(_ path: FilePath) -> String { shell(path.bytes) }
}
