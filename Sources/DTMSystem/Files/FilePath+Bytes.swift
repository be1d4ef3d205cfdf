package import SystemPackage

/// Paths as the bytes that they are; `FilePath.string` repairs what is not UTF-8.
extension FilePath {
  /// The bytes that the system is given, without the NUL at the end.
  package var bytes: [UInt8] {
    unsafe withPlatformString { pointer in
      unsafe UnsafeBufferPointer(start: pointer, count: length).map { UInt8(bitPattern: $0) }
    }
  }

  /// Bytes from the first NUL on do not count.
  package init(bytes: [UInt8]) {
    let characters = bytes.map { CChar(bitPattern: $0) } + [0]
    self = unsafe characters.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return FilePath() }
      return unsafe FilePath(platformString: base)
    }
  }
}
