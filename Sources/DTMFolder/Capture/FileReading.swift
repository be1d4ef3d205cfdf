internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Reads one file's data and holes into a content builder.
struct FileReading {
  /// Bytes read at a time.
  static let pieceLength = 1 << 20
  /// Bytes for which the page cache is asked at a time: a table of so many pages takes 16 KiB.
  private static let windowLength = 64 << 20

  /// How a file is read, beside its bytes.
  struct Manner {
    /// Takes out of the page cache what was not in it before.
    var sparesCache = false
    /// Lets go of the lease that is held on the file as soon as somebody waits for that.
    var holdsLease = false
  }

  private let calls: SystemCalls
  private let progress: WorkProgress
  private let manner: Manner
  private var builder: ContentBuilder
  /// What is dealt with as to the page cache, and what of that was not in it.
  private var window = 0..<0
  private var cold: [Range<Int>] = []
  /// Somebody wanted to write the file before it was read whole.
  private(set) var hasLostLease = false
  /// A file that ends before its size says (it was cut, or its size lies): nothing comes after.
  private var hasEnded = false

  init(
    _ store: any CaptureStore, calls: SystemCalls, progress: WorkProgress, _ manner: Manner
  ) {
    builder = ContentBuilder(store)
    self.calls = calls
    self.progress = progress
    self.manner = manner
  }

  /// Appends the data of a range of the file.
  mutating func append(
    _ file: borrowing Descriptor, _ range: Range<Int>
  ) throws(EntryCapture.Failure) {
    var offset = range.lowerBound
    while offset < range.upperBound, !hasEnded {
      let count = min(Self.pieceLength, range.upperBound - offset)
      if manner.sparesCache { moveWindow(file, to: offset..<range.upperBound) }
      calls.add()
      let piece: [UInt8]
      do throws(Errno) {
        piece = try file.read(at: offset, count: count)
      } catch { throw .system(error) }
      if piece.count < count { hasEnded = true }
      offset += piece.count
      progress.add(bytes: piece.count)
      if manner.holdsLease, offset < range.upperBound { checkLease(file) }
      do throws(RepositoryError) {
        try builder.append(piece.span)
      } catch { throw .store(FolderError(error)) }
    }
  }

  /// Appends all of a file that has fewer blocks than bytes: data, and holes where the file system
  /// tells them.
  mutating func appendSparse(
    _ file: borrowing Descriptor, _ size: Int
  ) throws(EntryCapture.Failure) {
    var offset = 0
    while offset < size, !hasEnded {
      calls.add(2)
      let data: Int?
      var end = size
      do throws(Errno) {
        data = try file.nextData(from: offset)
        if let data, data < size { end = min(size, try file.nextHole(from: data)) }
      } catch {
        // No SEEK_DATA here (EINVAL): it is all data.
        if error != .invalidArgument { throw .system(error) }
        try append(file, offset..<size)
        return
      }
      let start = min(size, data ?? size)
      do throws(RepositoryError) {
        try builder.appendHole(start - offset)
      } catch { throw .store(FolderError(error)) }
      if start < size { try append(file, start..<end) }
      offset = start < size ? end : size
    }
  }

  /// Asks what of the bytes that are read next is in the page cache, before reading ahead brings it in.
  private mutating func moveWindow(_ file: borrowing Descriptor, to range: Range<Int>) {
    if window.contains(range.lowerBound) { return }
    forgetCold(file)
    window = range.lowerBound..<min(range.upperBound, range.lowerBound + Self.windowLength)
    calls.add()
    cold = file.rangesNotCached(window)
  }

  /// Takes what was read, and was not in the page cache before, out of it again.
  mutating func forgetCold(_ file: borrowing Descriptor) {
    for range in cold {
      calls.add()
      file.forgetCached(range)
    }
    cold = []
  }

  private mutating func checkLease(_ file: borrowing Descriptor) {
    if hasLostLease { return }
    calls.add()
    if file.holdsLease { return }
    hasLostLease = true
    file.endLease()
  }

  mutating func finish() throws(EntryCapture.Failure) -> (Content, size: Int, isSparse: Bool) {
    do throws(RepositoryError) {
      let content = try builder.finish()
      return (content, builder.size, builder.isSparse)
    } catch { throw .store(FolderError(error)) }
  }
}
