package import SystemPackage

/// Paths as the bytes that they are; `FilePath.string` repairs what is not UTF-8.
extension FilePath {
  package var platformBytes: [UInt8] {
    unsafe withPlatformString { pointer in
      var bytes: [UInt8] = []
      var next = unsafe pointer
      while unsafe next.pointee != 0 {
        bytes.append(UInt8(bitPattern: unsafe next.pointee))
        unsafe next += 1
      }
      return bytes
    }
  }

  /// Bytes from the first NUL on do not count.
  package init(platformBytes bytes: [UInt8]) {
    let characters = bytes.map { CChar(bitPattern: $0) } + [0]
    self = unsafe characters.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return FilePath() }
      return unsafe FilePath(platformString: base)
    }
  }
}
