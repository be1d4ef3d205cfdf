internal import DTMSystem
internal import SystemPackage

/// The one writer of a live pack: it holds the pack's lock, appends frames, and seals it.
///
/// Nothing appended counts before its end stands in the ref log. Not for two threads at once.
final class LivePackWriter {
  /// What the ref log says of a live pack.
  enum Committed {
    case whole((length: Int, pack: PackFile, count: Int))
    /// Its committed frames can't be read whole: nobody writes behind them.
    case damaged
    case never
  }

  let id: PackID
  let kind: PackKind
  let file: any OpenFile
  let framesStart: Int
  /// The end of the last appended frame.
  private(set) var length: Int
  /// Objects in the pack.
  private(set) var count: Int
  private var isDirty = false
  private let files: any FileOperations

  var name: String { PackFile.name(id, kind, sealed: false) }

  private init(
    id: PackID, kind: PackKind, file: any OpenFile, framesStart: Int, length: Int,
    count: Int, files: any FileOperations
  ) {
    self.id = id
    self.kind = kind
    self.file = file
    self.framesStart = framesStart
    self.length = length
    self.count = count
    self.files = files
  }

  /// Makes a pack: unnamed, locked, with its header, then linked, and its name made durable, so that
  /// nobody can adopt it in between.
  static func create(
    _ kind: PackKind, format: [UInt8], files: any FileOperations
  ) throws(RepositoryError) -> LivePackWriter {
    let id = PackID.random(files)
    let name = PackFile.name(id, kind, sealed: false)
    let header = PackHeader(kind: kind, id: id, format: format).encoded
    do throws(Errno) {
      let file = try files.createUnnamed(in: "live", mode: 0o600)
      guard try file.lock(.exclusive, wait: false) else {
        throw Errno.resourceTemporarilyUnavailable
      }
      try file.write(header, at: 0)
      try files.link(file, as: name)
      try files.synchronizeDirectory("live")
      let writer = LivePackWriter(
        id: id, kind: kind, file: file, framesStart: header.count, length: header.count, count: 0,
        files: files)
      writer.isDirty = true
      return writer
    } catch { throw RepositoryError(error, "create", file: name) }
  }

  /// Takes over a live pack that nobody writes: locks it, and cuts it to its committed length.
  ///
  /// `committed` is asked only once the lock is held, so it must come from a fresh look at the ref
  /// log: the former writer may have committed until the moment it let go. A pack that was never
  /// committed, or stands sealed in `packs/` too, is removed. Returns nil when there is none to adopt.
  static func adopt(
    _ kind: PackKind, files: any FileOperations,
    committed: (PackID) throws(RepositoryError) -> Committed
  ) throws(RepositoryError) -> LivePackWriter? {
    let names = try onFile("live", "list") { () throws(Errno) in try files.list("live") }
    for fileName in names.sorted() {
      guard let (id, found) = PackFile.parse(fileName), found == kind else { continue }
      let name = "live/" + fileName
      let file: any OpenFile
      do throws(Errno) { file = try files.open(name, writable: true) } catch {
        // Sealed meanwhile; or a crash left it read-only without its new name.
        if error == .noSuchFileOrDirectory || error == .permissionDenied { continue }
        throw RepositoryError(error, "open", file: name)
      }
      let isOurs = try onFile(name, "lock") { () throws(Errno) in
        // It may have been sealed, or removed, between open and lock.
        guard try file.lock(.exclusive, wait: false) else { return false }
        return try isNamed(name, file, files)
      }
      guard isOurs else { continue }
      if isSealed(id, kind, files) {
        try onFile(name, "remove") { () throws(Errno) in try files.remove(name) }
        continue
      }
      switch try committed(id) {
      case .whole(let known):
        let size = try onFile(name, "stat") { () throws(Errno) in try file.size() }
        // Shorter than what was committed is damage: verify says so, and nobody writes behind it.
        guard size >= known.length else { continue }
        if size > known.length {
          try onFile(name, "cut") { () throws(Errno) in try file.truncate(to: known.length) }
        }
        return LivePackWriter(
          id: id, kind: kind, file: file, framesStart: known.pack.framesStart,
          length: known.length, count: known.count, files: files)
      case .damaged:
        continue
      case .never:
        // Never committed: nothing that counts is lost.
        try onFile(name, "remove") { () throws(Errno) in try files.remove(name) }
      }
    }
    return nil
  }

  private static func isNamed(
    _ name: String, _ file: any OpenFile, _ files: any FileOperations
  ) throws(Errno) -> Bool {
    do throws(Errno) {
      let there = try files.open(name, writable: false)
      return try there.identity().inode == file.identity().inode
    } catch {
      if error == .noSuchFileOrDirectory { return false }
      throw error
    }
  }

  private static func isSealed(
    _ id: PackID, _ kind: PackKind, _ files: any FileOperations
  ) -> Bool {
    (try? files.open(PackFile.name(id, kind, sealed: true), writable: false)) != nil
  }

  /// Appends a frame and returns its offset. Not durable yet.
  func append(_ header: FrameHeader, _ bytes: [UInt8]) throws(RepositoryError) -> Int {
    let offset = length
    try onFile(name, "write") { () throws(Errno) in try file.write(bytes, at: offset) }
    count += header.rows.count
    length += bytes.count
    isDirty = true
    return offset
  }

  /// Makes all that was appended to the packs durable, in parallel. After a failure none of them may
  /// be written any more.
  static func synchronize(
    _ writers: [LivePackWriter], _ files: any FileOperations
  ) throws(RepositoryError) {
    let dirty = writers.filter(\.isDirty)
    if dirty.isEmpty { return }
    try onFile(dirty.map(\.name).joined(separator: ", "), "fdatasync") { () throws(Errno) in
      try files.synchronizeData(dirty.map(\.file))
    }
    for writer in dirty { writer.isDirty = false }
  }

  /// Writes the trailer and publishes the pack in `packs/`; after return it is durable there. Returns
  /// its objects, in the order of the frames.
  ///
  /// Throws `.corrupt` where a frame's header is damaged; then the pack stays what it was.
  func seal() throws(RepositoryError) -> [PackRow] {
    let sealedName = PackFile.name(id, kind, sealed: true)
    // Read back, not remembered: table and digest are of what stands in the file.
    var rows: [PackRow] = []
    rows.reserveCapacity(count)
    try PackFile(self).forEachFrame { offset, header in
      rows += PackRow.rows(of: header, at: offset)
    }
    let trailer = PackTrailer.encode(rows, at: length)
    var digest = Digest.Running()
    var position = 0
    while position < length {
      let part = try onFile(name, "read") { () throws(Errno) in
        try file.read(at: position, count: min(1 << 20, length - position))
      }
      if part.isEmpty { throw RepositoryError(.corrupt, "\(name) ends at \(position)", file: name) }
      digest.update(part)
      position += part.count
    }
    digest.update(trailer)
    let foot = digest.current().bytes + PackTrailer.endMagic
    try onFile(name, "seal") { () throws(Errno) in
      try file.write(trailer + foot, at: length)
      try file.synchronizeData()
      try files.rename(name, to: sealedName)
      try files.synchronizeDirectory("packs")
    }
    // Last: it says that the name is durable (and in live/ whoever adopts opens it for writing).
    PackFile.markSettled(file)
    return rows
  }
}
