internal import DTMSystem

/// Takes a file's bytes and holes in order, cuts and stores them, and tells what the entry says.
///
/// Memory: at most one read piece and one maximal chunk, and one open list a level.
package struct ContentBuilder {
  /// Content of at most this many bytes stands in the entry.
  package static let inlineLimit = 128

  private let session: any ContentStore
  private let chunker: Chunker
  /// Data of the current run that is not cut yet, from `start` on.
  private var pending: [UInt8] = []
  private var start = 0
  private var lists: ContentListBuilder
  private var chunks = 0
  private var firstChunk: ObjectID?
  private var pendingHole = 0
  /// Bytes so far, holes included.
  package private(set) var size = 0
  package private(set) var isSparse = false

  package init(_ session: any ContentStore) {
    self.session = session
    lists = ContentListBuilder(session)
    chunker = Chunker(session.chunkerParameters)
  }

  /// Adds data.
  package mutating func append(_ bytes: Span<UInt8>) throws(RepositoryError) {
    if bytes.isEmpty { return }
    try flushHole()
    size += bytes.count
    pending.append(bytes)
    while pending.count - start >= chunker.parameters.maximum {
      try emitChunk()
    }
    // Keep the buffer small: one move for each few megabytes.
    if start > 4 << 20 || start == pending.count {
      pending.dropFront(start)
      start = 0
    }
  }

  /// Adds data.
  package mutating func append(_ bytes: [UInt8]) throws(RepositoryError) {
    try append(bytes.span)
  }

  /// Adds a hole of `length` bytes.
  package mutating func appendHole(_ length: Int) throws(RepositoryError) {
    if length == 0 { return }
    if !isSparse && size + length <= Self.inlineLimit {
      // Content this small stands in the entry, holes as zeros.
      return try append([UInt8](repeating: 0, count: length))
    }
    try endRun()
    pendingHole += length
    size += length
    isSparse = true
  }

  /// Ends the content. The builder can't be used again.
  package mutating func finish() throws(RepositoryError) -> Content {
    if !isSparse && size <= Self.inlineLimit { return .inline(pending) }
    try endRun()
    try flushHole()
    if chunks == 1, !isSparse, let firstChunk { return .chunk(firstChunk) }
    return .list(try lists.finish())
  }

  private mutating func endRun() throws(RepositoryError) {
    while start < pending.count { try emitChunk() }
    pending.removeAll(keepingCapacity: true)
    start = 0
  }

  private mutating func emitChunk() throws(RepositoryError) {
    let length = chunker.cut(pending.span, from: start)
    let id = try session.writeChunk(pending.span.extracting(start..<(start + length)))
    start += length
    chunks += 1
    if firstChunk == nil { firstChunk = id }
    try lists.append(ContentList.Child(id: id, length: length))
  }

  private mutating func flushHole() throws(RepositoryError) {
    if pendingHole == 0 { return }
    let length = pendingHole
    pendingHole = 0
    try lists.append(ContentList.Child(id: nil, length: length))
  }
}

/// Where a `ContentBuilder` stores chunks and lists.
package protocol ContentStore: ObjectWriter {
  var chunkerParameters: ChunkerParameters { get }
  /// Stores one chunk of file content and returns its id.
  func writeChunk(_ bytes: Span<UInt8>) throws(RepositoryError) -> ObjectID
}

extension MemoryObjects: ContentStore {
  package var chunkerParameters: ChunkerParameters { .standard }

  package func writeChunk(_ bytes: Span<UInt8>) throws(RepositoryError) -> ObjectID {
    try write(.chunk, [UInt8](copying: bytes))
  }
}
