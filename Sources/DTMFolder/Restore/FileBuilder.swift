internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Fills new files with content: what the present file has already is copied from it, all else
/// comes from chunks. Every byte is checked against its SHA-256.
struct FileBuilder {
  /// A part that the present file has, at the same or another offset.
  private struct Shared {
    let part: ContentReader.Part
    let id: ObjectID
    let sourceOffset: Int
  }

  /// Present files with more parts than this are not searched (64 GiB of the usual chunks).
  private static let partLimit = 1 << 20
  /// Blocks are shared only between offsets that are multiples of this.
  private static let block = 4096

  private let content: ContentReader
  /// Whether copying within the folder's file system shares blocks.
  private let sharesBlocks: Bool

  init(_ objects: any ObjectReader, sharesBlocks: Bool) {
    content = ContentReader(objects)
    self.sharesBlocks = sharesBlocks
  }

  /// Writes the content of an entry into an empty file that is open for reading and writing.
  ///
  /// Returns the bytes that were written; blocks that are shared with the present file don't count.
  /// Throws `.corrupt` for damage, `.noSpace`, `.inputOutput`.
  func fill(_ file: borrowing Descriptor, with entry: TreeEntry) throws(FolderError) -> Int {
    let number = try fill(file, entry, known: [:]) { _ in }
    return number
  }

  /// The same, with a present file to copy from that is open for reading; `present`: what it is known
  /// to hold.
  func fill(
    _ file: borrowing Descriptor, with entry: TreeEntry, from source: borrowing Descriptor,
    _ present: TreeEntry
  ) throws(FolderError) -> Int {
    // What is there may be as damaged in the repository as it is whole in the folder.
    let known: [ObjectID: Int]
    do throws(FolderError) { known = try chunks(of: present) } catch {
      guard error.code == .corrupt else { throw error }
      return try fill(file, with: entry)
    }
    var shared: [Shared] = []
    var written = try fill(file, entry, known: known) { shared.append($0) }
    var start = 0
    while start < shared.count {
      var end = start + 1
      while end < shared.count, Self.follows(shared[end], shared[end - 1]) { end += 1 }
      written += try copy(shared[start..<end], from: source, to: file, entry.key)
      start = end
    }
    return written
  }

  /// Where the chunks of a present file are.
  private func chunks(of entry: TreeEntry) throws(FolderError) -> [ObjectID: Int] {
    var known: [ObjectID: Int] = [:]
    try onRepository { () throws(RepositoryError) in
      try content.forEachPart(of: entry.content, size: entry.size) { part in
        if case .chunk(let id) = part.source, known.count < Self.partLimit {
          // The first place of several: it is as good as any.
          if known[id] == nil { known[id] = part.offset }
        }
      }
    }
    return known
  }

  private static func follows(_ next: Shared, _ last: Shared) -> Bool {
    next.part.offset == last.part.offset + last.part.length
      && next.sourceOffset == last.sourceOffset + last.part.length
  }

  /// Writes all parts but those that are known, which it hands out.
  private func fill(
    _ file: borrowing Descriptor, _ entry: TreeEntry, known: [ObjectID: Int],
    _ share: (Shared) -> Void
  ) throws(FolderError) -> Int {
    var written = 0
    var failure: Errno?
    try onRepository(Quoting.path(entry.key.path)) { () throws(RepositoryError) in
      try content.forEachPart(of: entry.content, size: entry.size) {
        part throws(RepositoryError) in
        if failure != nil { return }
        let bytes: [UInt8]
        switch part.source {
        case .hole: return
        case .bytes(let inline): bytes = inline
        case .chunk(let id):
          if let offset = known[id] {
            share(Shared(part: part, id: id, sourceOffset: offset))
            return
          }
          bytes = try content.chunk(id, length: part.length)
        }
        do throws(Errno) { try file.write(bytes, at: part.offset) } catch { failure = error }
        written += bytes.count
      }
    }
    try onPath(entry.key, "write") { () throws(Errno) in
      if let failure { throw failure }
      // A hole at the end, or one that a known part stands behind for now.
      if entry.isSparse || !known.isEmpty { try file.truncate(to: Int(entry.size)) }
    }
    return written
  }

  // MARK: - Copying

  /// Copies neighbouring parts and checks them; what is not as expected comes from chunks.
  private func copy(
    _ parts: ArraySlice<Shared>, from source: borrowing Descriptor,
    to file: borrowing Descriptor, _ key: PathKey
  ) throws(FolderError) -> Int {
    guard let first = parts.first, let last = parts.last else { return 0 }
    let length = last.part.offset + last.part.length - first.part.offset
    var written = try onPath(key, "write") { () throws(Errno) in
      try copy(source, first.sourceOffset, to: file, first.part.offset, length)
    }
    for shared in parts {
      let part = shared.part
      let bytes = try onPath(key, "read") { () throws(Errno) in
        try file.read(at: part.offset, count: part.length)
      }
      if bytes.count == part.length, Digest.id(.chunk, bytes.span) == shared.id { continue }
      // The present file has changed since it was looked at.
      let right = try onRepository(Quoting.path(key.path)) { () throws(RepositoryError) in
        try content.chunk(shared.id, length: part.length)
      }
      try onPath(key, "write") { () throws(Errno) in try file.write(right, at: part.offset) }
      written += right.count
    }
    return written
  }

  /// Copies a range in up to three pieces, so that the middle one can share blocks; returns the bytes
  /// that were written.
  private func copy(
    _ source: borrowing Descriptor, _ from: Int, to file: borrowing Descriptor, _ to: Int,
    _ length: Int
  ) throws(Errno) -> Int {
    let head = min(length, (Self.block - from % Self.block) % Self.block)
    let canShare = sharesBlocks && from % Self.block == to % Self.block
    let middle = canShare ? (length - head) / Self.block * Self.block : 0
    try copyWhole(source, from, to: file, to, head)
    try copyWhole(source, from + head, to: file, to + head, middle)
    try copyWhole(
      source, from + head + middle, to: file, to + head + middle, length - head - middle)
    return length - middle
  }

  private func copyWhole(
    _ source: borrowing Descriptor, _ from: Int, to file: borrowing Descriptor, _ to: Int,
    _ length: Int
  ) throws(Errno) {
    var done = 0
    while done < length {
      do throws(Errno) {
        let count = try file.copyRange(
          from: source, at: from + done, to: to + done, count: length - done)
        // The present file has been cut; what is missing shows when it is checked.
        if count == 0 { return }
        done += count
      } catch {
        switch error {
        case .noSpace, .diskQuotaExceeded, .ioError: throw error
        // No such call here: all of it comes from chunks.
        default: return
        }
      }
    }
  }
}

/// Runs system calls on a path of the folder and wraps what they throw, once.
func onPath<Result>(
  _ key: PathKey, _ operation: String, _ body: () throws(Errno) -> Result
) throws(FolderError) -> Result {
  do throws(Errno) { return try body() } catch {
    throw FolderError(error, operation, Quoting.path(key.path), path: key)
  }
}
