internal import DTMSystem
internal import SystemPackage

/// The objects of a live pack's committed part: those of its front in a mapped index, a cache, and those
/// behind in memory. Not for two threads at once.
final class LivePackObjects {
  let handle: PackHandle
  let file: PackFile
  /// The end of the last frame that is known.
  private(set) var end: Int

  /// Of the frames from the first to somewhere.
  private var index: MergedIndex?
  /// Of those that no index covers.
  private var rows = LiveRows()
  private var unindexedFrames = 0
  /// A frame that counts can't be read; what is in it is not known here.
  private var isDamaged = false
  private let files: any FileOperations

  /// `indexes`: the live indexes that are there, of any pack.
  init(
    _ handle: PackHandle, _ file: PackFile, indexes: [LiveIndexName], files: any FileOperations
  ) {
    self.handle = handle
    self.file = file
    self.files = files
    end = file.framesStart
    let usable = indexes.filter { $0.pack == handle.id && $0.length <= file.framesEnd }
    guard let name = usable.max(by: { $0.length < $1.length }),
      let index = MergedIndex(name.fileName, files: files),
      index.packs.map(\.id) == [handle.id]
    else { return }
    self.index = index
    end = name.length
  }

  /// Objects that are known, copies counted.
  var count: Int { (index?.table.count ?? 0) + rows.rows.count }

  /// Whether all frames that count are known.
  var isWhole: Bool { end == file.framesEnd && !isDamaged }

  /// Takes in the frames up to a committed length. A damaged one is passed over.
  func extend(to length: Int) throws(RepositoryError) {
    file.extend(to: length)
    do throws(RepositoryError) { try readFrames() } catch {
      guard error.code == .corrupt else { throw error }
      // An index that ends within a frame is of another time.
      if index != nil { try readAnew() } else { try readBehindDamage() }
    }
  }

  private func readFrames() throws(RepositoryError) {
    try file.forEachFrame(from: end) { offset, header in
      for row in PackRow.rows(of: header, at: offset) { rows.append(row) }
      unindexedFrames += 1
      end = offset + header.frameLength
    }
  }

  /// Goes on behind each frame whose header can't be read: it hides no other, for a reader of what it
  /// held is told.
  private func readBehindDamage() throws(RepositoryError) {
    isDamaged = true
    while let next = try file.nextFrame(after: end) {
      end = next
      do throws(RepositoryError) { return try readFrames() } catch {
        guard error.code == .corrupt else { throw error }
      }
    }
  }

  /// Reads all frames, and gives the index up.
  private func readAnew() throws(RepositoryError) {
    if let index { try? files.remove(index.name) }
    index = nil
    rows = LiveRows()
    unindexedFrames = 0
    end = file.framesStart
    do throws(RepositoryError) { try readFrames() } catch {
      guard error.code == .corrupt else { throw error }
      try readBehindDamage()
    }
  }

  /// Compares the index with the frames, and gives it up where it does not name each object where it
  /// is. Returns whether that was so. Cost: the headers of all frames.
  func audit() throws(RepositoryError) -> Bool {
    if index == nil { return false }
    var isRight = true
    do throws(RepositoryError) {
      try file.forEachFrame { offset, header in
        for row in PackRow.rows(of: header, at: offset) where isRight {
          isRight = frameOffsets(of: row.id, row.kind).contains(offset)
        }
      }
    } catch {
      guard error.code == .corrupt else { throw error }
      isRight = false
    }
    if !isRight { try readAnew() }
    return !isRight
  }

  /// The frames that may hold copies of an object, the last ones first; none for a miss.
  func frameOffsets(of id: ObjectID, _ kind: ObjectKind) -> [Int] {
    var offsets = rows.frameOffsets(of: id, kind)
    guard let index else { return offsets }
    offsets += index.table.rows(of: id).compactMap { index.location($0)?.frameOffset }
    return offsets
  }

  /// Calls `body` with each id between two ids, in no order, some more than once.
  func forEachID(from first: ObjectID, through last: ObjectID, _ body: (ObjectID) -> Void) {
    for row in rows.rows where row.id >= first && row.id <= last { body(row.id) }
    index?.table.forEachID(from: first, through: last, body)
  }

  /// Writes an index of all that is known, once enough frames are not in one, and goes on with it
  /// instead of the rows in memory. A cache: that it can't be written is no failure.
  ///
  /// `leastFrames`: how many frames. A full pack's index has 1.3 MB, so that is 20 KB a frame at most.
  func writeIndex(leastFrames: Int) {
    guard unindexedFrames >= leastFrames, isWhole else { return }
    let name = LiveIndexName(pack: handle.id, length: end)
    var sources = [MergedIndex.Source(rows: rows.rows)]
    if let index {
      sources.append(
        MergedIndex.Source(table: index.table) { row in
          index.location(row).map { (0, $0.frameOffset) }
        })
    }
    do throws(RepositoryError) {
      try MergedIndex.write(
        sources, packs: [(handle.id, handle.kind)], as: name.fileName, files: files)
    } catch {
      // Another process may have written it already.
      if error.code != .exists { return }
    }
    guard let written = MergedIndex(name.fileName, files: files), written.table.count == count
    else { return }
    if let index { try? files.remove(index.name) }
    index = written
    rows = LiveRows()
    unindexedFrames = 0
  }
}

/// The file name of a live pack's index, in `index/`: the pack, and up to where it is covered.
struct LiveIndexName {
  let pack: PackID
  let length: Int

  private static let ending = ".live"

  var fileName: String { "\(pack.hex)-\(length)\(Self.ending)" }
}

extension LiveIndexName {
  /// Nil for any other name.
  init?(_ fileName: String) {
    guard fileName.hasSuffix(Self.ending) else { return nil }
    let parts = fileName.dropLast(Self.ending.count).split(
      separator: "-", omittingEmptySubsequences: false)
    guard parts.count == 2, let pack = PackID(hex: String(parts[0])), let length = Int(parts[1])
    else { return nil }
    self.init(pack: pack, length: length)
  }
}
