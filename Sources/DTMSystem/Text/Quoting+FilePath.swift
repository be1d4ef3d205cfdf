package import SystemPackage

extension Quoting {
  /// A path for people: its own bytes, quoted as names are.
  package static func path(_ path: FilePath) -> String {
    self.path(path.bytes)
  }

  /// A path as one word of a command line.
  package static func shell(_ path: FilePath) -> String { shell(path.bytes) }
}

extension FilePath {
  /// The bytes that the system is given, without the NUL at the end.
  package var bytes: [UInt8] {
    unsafe withPlatformString { pointer in
      unsafe UnsafeBufferPointer(start: pointer, count: length).map { UInt8(bitPattern: $0) }
    }
  }
}
