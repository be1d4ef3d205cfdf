internal import CZstd

/// zstd with reused contexts; the one file that touches the library. Not for two threads at once.
@safe
package final class Zstd {
  private let compression: OpaquePointer
  private let decompression: OpaquePointer

  /// Throws `.inputOutput` when there is no memory for the contexts.
  package init() throws(RepositoryError) {
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

  fileprivate static func name(_ status: Int) -> String {
    unsafe ZSTD_getErrorName(status).map { unsafe String(cString: $0) } ?? "error \(status)"
  }
}

/// A zstd stream that is written piece by piece: an archive's.
@safe
package final class ZstdCompressor {
  private static let pieceLength = 256 << 10

  private let context: OpaquePointer

  /// `level`: as zstd(1) counts them. Throws `.inputOutput` when there is no memory for it.
  package init(level: Int) throws(RepositoryError) {
    guard let context = unsafe ZSTD_createCCtx() else {
      throw RepositoryError(.inputOutput, "no memory for compression")
    }
    unsafe self.context = unsafe context
    _ = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_compressionLevel, Int32(level))
    _ = unsafe ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1)
  }

  deinit { _ = unsafe ZSTD_freeCCtx(context) }

  /// What there is to be written after some more bytes; `isLast`: and nothing comes after.
  package func compress(
    _ bytes: [UInt8], isLast: Bool = false
  ) throws(RepositoryError) -> [UInt8] {
    var result: [UInt8] = []
    var consumed = 0
    while true {
      var status = 0
      let piece = unsafe [UInt8](unsafeUninitializedCapacity: Self.pieceLength) { target, count in
        unsafe bytes.withUnsafeBytes { source in
          var output = unsafe ZSTD_outBuffer(
            dst: target.baseAddress, size: Self.pieceLength, pos: 0)
          var input = unsafe ZSTD_inBuffer(
            src: source.baseAddress, size: source.count, pos: consumed)
          status = unsafe ZSTD_compressStream2(
            context, &output, &input, isLast ? ZSTD_e_end : ZSTD_e_continue)
          (consumed, count) = unsafe (input.pos, output.pos)
        }
      }
      if ZSTD_isError(status) != 0 {
        throw RepositoryError(.inputOutput, "compression failed: \(Zstd.name(status))")
      }
      result += piece
      if consumed == bytes.count, !isLast || status == 0 { return result }
    }
  }
}

/// A zstd stream that is read piece by piece.
@safe
package final class ZstdDecompressor {
  private static let pieceLength = 1 << 20

  private let context: OpaquePointer
  private var input: [UInt8] = []
  private var consumed = 0
  /// Whether a frame has begun and not ended.
  package private(set) var isWithinFrame = false
  private var mayHaveMore = false

  /// Throws `.inputOutput` when there is no memory for it.
  package init() throws(RepositoryError) {
    guard let context = unsafe ZSTD_createDCtx() else {
      throw RepositoryError(.inputOutput, "no memory for decompression")
    }
    unsafe self.context = unsafe context
  }

  deinit { _ = unsafe ZSTD_freeDCtx(context) }

  /// Whether `next` has to be given more bytes before it can tell more.
  package var needsInput: Bool { consumed == input.count && !mayHaveMore }

  /// Gives it more bytes, when it needs some.
  package func feed(_ bytes: [UInt8]) {
    (input, consumed) = (bytes, 0)
  }

  /// Some of what follows, at most a megabyte; may be nothing. Throws `.corrupt`.
  package func next() throws(RepositoryError) -> [UInt8] {
    var status = 0
    let piece = unsafe [UInt8](unsafeUninitializedCapacity: Self.pieceLength) { target, count in
      unsafe input.withUnsafeBytes { source in
        var output = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: Self.pieceLength, pos: 0)
        var from = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: consumed)
        status = unsafe ZSTD_decompressStream(context, &output, &from)
        (consumed, count) = unsafe (from.pos, output.pos)
      }
    }
    if ZSTD_isError(status) != 0 {
      throw RepositoryError(.corrupt, "it does not unpack: \(Zstd.name(status))")
    }
    isWithinFrame = status != 0
    mayHaveMore = piece.count == Self.pieceLength
    return piece
  }
}
