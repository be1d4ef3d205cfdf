internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Brings present files to another content by writing into them what differs: for files of which a
/// second copy has no room. Every byte is checked against its SHA-256.
///
/// While it is at work a file holds parts of both, and whoever reads it sees that.
struct InPlaceWriter {
  /// Zeros that are written at a time, where holes can't be punched.
  private static let pieceLength = 1 << 20

  private let content: ContentReader

  init(_ objects: any ObjectReader) {
    content = ContentReader(objects)
  }

  /// Reads all that bringing a file from `old` to `new` would write, and bringing it back: damage shows
  /// before anything is touched. Throws `.corrupt`.
  func check(_ old: TreeEntry, _ new: TreeEntry) throws(FolderError) {
    for (wanted, other) in [(new, old), (old, new)] {
      for part in try differing(wanted, from: other) {
        guard case .chunk(let id) = part.source else { continue }
        _ = try onRepository(Quoting.path(wanted.key.path)) { () throws(RepositoryError) in
          try content.chunk(id, length: part.length)
        }
      }
    }
  }

  /// Makes a file hold `new`; after return that is on disk. Returns the bytes that were written.
  ///
  /// `file`: open for reading and writing. `old`: what it is known to hold; nil: each part is compared
  /// with what is there. `wrote`: called after each write.
  func write(
    _ new: TreeEntry, over old: TreeEntry?, into file: borrowing Descriptor,
    wrote: () throws(FolderError) -> Void = {}
  ) throws(FolderError) -> Int {
    let size = Int(clamping: new.size)
    // What is given back first may be needed at once.
    try onPath(new.key, "truncate") { () throws(Errno) in
      if try file.status().size > new.size { try file.truncate(to: size) }
    }
    var written = 0
    let wanted = if let old { try differing(new, from: old) } else { try parts(of: new) }
    for part in wanted {
      let count: Int
      switch part.source {
      case .hole:
        count = try onPath(new.key, "punch a hole in") { () throws(Errno) in
          try clear(file, part.offset..<part.offset + part.length)
        }
      case .bytes(let bytes): count = try write(bytes, part, into: file, new.key)
      case .chunk(let id): count = try write(id, part, into: file, new.key)
      }
      if count > 0 { try wrote() }
      written += count
    }
    try onPath(new.key, "fsync") { () throws(Errno) in
      if try file.status().size != new.size { try file.truncate(to: size) }
      try file.synchronize()
    }
    return written
  }

  // MARK: - Parts

  private func parts(of entry: TreeEntry) throws(FolderError) -> [ContentReader.Part] {
    var parts: [ContentReader.Part] = []
    try onRepository(Quoting.path(entry.key.path)) { () throws(RepositoryError) in
      try content.forEachPart(of: entry.content, size: entry.size) { parts.append($0) }
    }
    return parts
  }

  /// The parts of an entry that another does not have in the same place.
  private func differing(
    _ entry: TreeEntry, from other: TreeEntry
  ) throws(FolderError) -> [ContentReader.Part] {
    let others = try parts(of: other)
    var index = 0
    return try parts(of: entry).filter { part in
      while index < others.count, others[index].offset < part.offset { index += 1 }
      return index == others.count || others[index] != part
    }
  }

  // MARK: - Writing

  private func write(
    _ id: ObjectID, _ part: ContentReader.Part, into file: borrowing Descriptor, _ key: PathKey
  ) throws(FolderError) -> Int {
    let present = try onPath(key, "read") { () throws(Errno) in
      try file.read(at: part.offset, count: part.length)
    }
    if present.count == part.length, Digest.id(.chunk, present.span) == id { return 0 }
    let bytes = try onRepository(Quoting.path(key.path)) { () throws(RepositoryError) in
      try content.chunk(id, length: part.length)
    }
    return try write(bytes, part, into: file, key)
  }

  private func write(
    _ bytes: [UInt8], _ part: ContentReader.Part, into file: borrowing Descriptor, _ key: PathKey
  ) throws(FolderError) -> Int {
    try onPath(key, "write") { () throws(Errno) in try file.write(bytes, at: part.offset) }
    return bytes.count
  }

  /// Makes a range a hole; returns the bytes that were written where the file system has none.
  private func clear(
    _ file: borrowing Descriptor, _ range: Range<Int>
  ) throws(Errno) -> Int {
    let end = min(range.upperBound, Int(clamping: try file.status().size))
    if range.lowerBound >= end { return 0 }
    do throws(Errno) {
      try file.punchHole(range.lowerBound..<end)
      return 0
    } catch {
      guard error == .notSupportedOnSocket || error == .notSupported || error == .invalidArgument
      else { throw error }
    }
    var offset = range.lowerBound
    while offset < end {
      let count = min(Self.pieceLength, end - offset)
      try file.write([UInt8](repeating: 0, count: count), at: offset)
      offset += count
    }
    return end - range.lowerBound
  }
}
