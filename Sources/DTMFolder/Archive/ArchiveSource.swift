internal import DTMRepository
package import DTMSystem
internal import SystemPackage

/// An archive that is read from its front: a file or a pipe, unpacked where it is a zstd stream.
package final class ArchiveSource {
  private static let pieceLength = 1 << 20
  private static let zstdMagic: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD]
  /// What other programs pack with, and what unpacks it.
  private static let others: [(magic: [UInt8], name: String, program: String)] = [
    ([0x1F, 0x8B], "gzip", "zcat"), ([0xFD, 0x37, 0x7A, 0x58, 0x5A], "xz", "xzcat"),
    ([0x42, 0x5A, 0x68], "bzip2", "bzcat"), ([0x04, 0x22, 0x4D, 0x18], "lz4", "lz4cat"),
    ([0x50, 0x4B, 0x03, 0x04], "zip", "unzip"),
  ]

  /// What it is called in errors.
  let name: String
  private let more: (Int) throws(Errno) -> [UInt8]
  private var zstd: ZstdDecompressor?
  private var buffer: [UInt8] = []
  private var start = 0
  private var hasEnded = false
  /// Bytes of the archive, unpacked, that were taken so far.
  private(set) var offset = 0

  /// `more`: up to so many bytes of the file; none at its end. Reads its front.
  ///
  /// Throws `.invalidInput` for what is packed otherwise.
  init(
    _ name: String, _ more: @escaping (Int) throws(Errno) -> [UInt8]
  ) throws(FolderError) {
    self.name = name
    self.more = more
    while buffer.count < TarHeader.blockLength, !hasEnded { try fill() }
    if buffer.starts(with: Self.zstdMagic) {
      let zstd = try onRepository(name) { () throws(RepositoryError) in try ZstdDecompressor() }
      zstd.feed(buffer)
      self.zstd = zstd
      buffer = []
      hasEnded = false
    } else if let other = Self.others.first(where: { buffer.starts(with: $0.magic) }) {
      throw FolderError(
        .invalidInput, "\(name) is packed with \(other.name); only zstd is read",
        hint: "\(other.program) FILE | dtm import -")
    }
  }

  /// A file or pipe that is open for reading, from where it stands.
  package convenience init(
    _ name: String, _ file: consuming Descriptor
  ) throws(FolderError) {
    let entry = OpenEntry(file)
    try self.init(name) { count throws(Errno) in try entry.descriptor.readNext(count: count) }
  }

  /// The next bytes, fewer only at the end.
  func read(_ count: Int) throws(FolderError) -> [UInt8] {
    while buffer.count - start < count, !hasEnded { try fill() }
    let end = min(buffer.count, start + count)
    let bytes = Array(buffer[start..<end])
    start = end
    offset += bytes.count
    if start == buffer.count {
      buffer.removeAll(keepingCapacity: true)
      start = 0
    }
    return bytes
  }

  /// The next bytes, exactly so many. Throws `.corrupt` where the archive ends before.
  func take(_ count: Int) throws(FolderError) -> [UInt8] {
    let bytes = try read(count)
    if bytes.count < count {
      throw damage("it ends in the middle of a member")
    }
    return bytes
  }

  func damage(_ message: String) -> FolderError {
    FolderError(
      .corrupt, "\(name): \(message), before byte \(offset)",
      hint: "nothing was recorded; get the archive again")
  }

  private func fill() throws(FolderError) {
    guard let zstd else {
      let bytes = try next()
      if bytes.isEmpty { hasEnded = true }
      return append(bytes)
    }
    if zstd.needsInput {
      let bytes = try next()
      if bytes.isEmpty {
        if zstd.isWithinFrame { throw damage("it is cut off") }
        hasEnded = true
        return
      }
      zstd.feed(bytes)
    }
    append(try onRepository(name) { () throws(RepositoryError) in try zstd.next() })
  }

  private func append(_ bytes: [UInt8]) {
    if start > 0 {
      buffer.removeFirst(start)
      start = 0
    }
    buffer += bytes
  }

  private func next() throws(FolderError) -> [UInt8] {
    do throws(Errno) { return try more(Self.pieceLength) } catch {
      throw FolderError(error, "read", name)
    }
  }
}
