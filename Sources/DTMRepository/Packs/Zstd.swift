internal import CZstd

/// zstd with reused contexts; the one file that touches the library. Not for two threads at once.
@safe
final class Zstd {
  private let compression: OpaquePointer
  private let decompression: OpaquePointer

  /// Throws `.inputOutput` when there is no memory for the contexts.
  init() throws(RepositoryError) {
    guard let compression = unsafe ZSTD_createCCtx(), let decompression = unsafe ZSTD_createDCtx()
    else { throw RepositoryError(.inputOutput, "no memory for compression") }
    unsafe self.compression = unsafe compression
    unsafe self.decompression = unsafe decompression
  }

  deinit {
    _ = unsafe ZSTD_freeCCtx(compression)
    _ = unsafe ZSTD_freeDCtx(decompression)
  }

  /// One zstd frame of the bytes, with their length in its header.
  func compress(_ raw: [UInt8], level: Int) throws(RepositoryError) -> [UInt8] {
    let capacity = ZSTD_compressBound(raw.count)
    var status = 0
    let result = unsafe [UInt8](unsafeUninitializedCapacity: capacity) { target, initialized in
      unsafe raw.withUnsafeBytes { source in
        status = unsafe ZSTD_compressCCtx(
          compression, target.baseAddress, capacity, source.baseAddress, source.count,
          Int32(level))
      }
      initialized = ZSTD_isError(status) == 0 ? status : 0
    }
    if ZSTD_isError(status) != 0 {
      throw RepositoryError(.inputOutput, "compression failed: \(Self.name(status))")
    }
    return result
  }

  /// The raw bytes of `payload[range]`, one zstd frame, which have to be `rawLength`.
  func decompress(
    _ payload: [UInt8], _ range: Range<Int>, rawLength: Int
  ) throws(DecodingFailure) -> [UInt8] {
    precondition(range.lowerBound >= 0 && range.upperBound <= payload.count)
    var status = 0
    let result = unsafe [UInt8](unsafeUninitializedCapacity: rawLength) { target, initialized in
      unsafe payload.withUnsafeBytes { source in
        let part = unsafe UnsafeRawBufferPointer(rebasing: source[range])
        status = unsafe ZSTD_decompressDCtx(
          decompression, target.baseAddress, rawLength, part.baseAddress, part.count)
      }
      initialized = ZSTD_isError(status) == 0 ? status : 0
    }
    if ZSTD_isError(status) != 0 {
      throw DecodingFailure(message: "does not unpack: \(Self.name(status))", offset: 0)
    }
    if status != rawLength {
      throw DecodingFailure(message: "unpacks to \(status) bytes, not \(rawLength)", offset: 0)
    }
    return result
  }

  private static func name(_ status: Int) -> String {
    unsafe ZSTD_getErrorName(status).map { unsafe String(cString: $0) } ?? "error \(status)"
  }
}
