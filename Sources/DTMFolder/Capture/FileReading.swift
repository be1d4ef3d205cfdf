internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Reads one file's data and holes into a content builder.
struct FileReading {
  /// Bytes read at a time.
  private static let pieceLength = 1 << 20

  private let calls: SystemCalls
  private let progress: WorkProgress
  private var builder: ContentBuilder
  /// A file that ends before its size says (it was cut, or its size lies): nothing comes after.
  private var hasEnded = false

  init(_ store: any CaptureStore, calls: SystemCalls, progress: WorkProgress) {
    builder = ContentBuilder(store)
    self.calls = calls
    self.progress = progress
  }

  /// Appends the data of a range of the file.
  mutating func append(
    _ file: borrowing Descriptor, _ range: Range<Int>
  ) throws(EntryCapture.Failure) {
    var offset = range.lowerBound
    while offset < range.upperBound, !hasEnded {
      let count = min(Self.pieceLength, range.upperBound - offset)
      calls.add()
      let piece: [UInt8]
      do throws(Errno) {
        piece = try file.read(at: offset, count: count)
      } catch { throw .system(error) }
      if piece.count < count { hasEnded = true }
      offset += piece.count
      progress.add(bytes: piece.count)
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

  mutating func finish() throws(EntryCapture.Failure) -> (Content, size: Int, isSparse: Bool) {
    do throws(RepositoryError) {
      let content = try builder.finish()
      return (content, builder.size, builder.isSparse)
    } catch { throw .store(FolderError(error)) }
  }
}
