package import DTMRepository

/// Where captured content, attributes and pages go.
package protocol CaptureStore: ContentStore {
  /// Stores the encoding of an entry's attributes, 128 bytes or more.
  func writeAttributes(_ bytes: [UInt8]) throws(RepositoryError) -> ObjectID
}

extension WriteSession: CaptureStore {}

/// Keeps pages and lists in memory over a repository, and of file content the ids alone: for a
/// tree of the folder as it is now, whose content stands in the folder.
package final class WorkingObjects: CaptureStore {
  package let chunkerParameters: ChunkerParameters
  private let memory: MemoryObjects

  package init(over base: any ObjectReader, chunker: ChunkerParameters) {
    memory = MemoryObjects(over: base)
    chunkerParameters = chunker
  }

  package func read(_ id: ObjectID, _ kind: ObjectKind) throws(RepositoryError) -> [UInt8] {
    try memory.read(id, kind)
  }

  package func write(_ kind: ObjectKind, _ bytes: [UInt8]) throws(RepositoryError) -> ObjectID {
    try memory.write(kind, bytes)
  }

  package func writeChunk(_ bytes: Span<UInt8>) throws(RepositoryError) -> ObjectID {
    Digest.id(.chunk, bytes)
  }

  package func writeAttributes(_ bytes: [UInt8]) throws(RepositoryError) -> ObjectID {
    try memory.write(.chunk, bytes)
  }
}
