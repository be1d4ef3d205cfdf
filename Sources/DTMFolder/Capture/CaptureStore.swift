package import DTMRepository
internal import DTMSystem

/// Where captured content, attributes and pages go.
package protocol CaptureStore: ContentStore {
  /// Stores the encoding of an entry's attributes, 128 bytes or more.
  func writeAttributes(_ bytes: [UInt8]) throws(RepositoryError) -> ObjectID
}

extension CaptureStore {
  /// Attributes, ascending by name, as an entry has them (format: Leaf page).
  func stored(_ attributes: [ExtendedAttribute]) throws(FolderError) -> Attributes {
    if attributes.isEmpty { return .none }
    var writer = ByteWriter()
    writer.list(attributes) {
      $0.counted($1.name)
      $0.counted($1.value)
    }
    let bytes = writer.bytes
    if bytes.count <= TreeEntry.inlineAttributesLimit { return .inline(bytes) }
    return try onRepository { () throws(RepositoryError) in
      .object(try writeAttributes(bytes))
    }
  }
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
