internal import DTMRepository

/// Takes in a capture of the folder and stores what the repository has lost of it: all pages, lists and
/// attributes that are not there, and of the content what is wanted.
final class HealingStore: CaptureStore {
  let chunkerParameters: ChunkerParameters
  /// Objects that were wanted and were found in the folder.
  private(set) var found: Set<ObjectID> = []

  private let wanted: Set<ObjectID>
  private let session: WriteSession
  /// Whether content that is found is stored, and not only told.
  private let storesContent: Bool
  private let working: WorkingObjects

  init(_ wanted: Set<ObjectID>, _ session: WriteSession, storesContent: Bool) {
    self.wanted = wanted
    self.session = session
    self.storesContent = storesContent
    chunkerParameters = session.chunkerParameters
    working = WorkingObjects(over: session, chunker: session.chunkerParameters)
  }

  func read(_ id: ObjectID, _ kind: ObjectKind) throws(RepositoryError) -> [UInt8] {
    try working.read(id, kind)
  }

  func write(_ kind: ObjectKind, _ bytes: [UInt8]) throws(RepositoryError) -> ObjectID {
    _ = try working.write(kind, bytes)
    return note(try session.write(kind, bytes))
  }

  func writeAttributes(_ bytes: [UInt8]) throws(RepositoryError) -> ObjectID {
    note(try session.writeAttributes(bytes))
  }

  func writeChunk(_ bytes: Span<UInt8>) throws(RepositoryError) -> ObjectID {
    let id = Digest.id(.chunk, bytes)
    if wanted.contains(id) {
      found.insert(id)
      if storesContent { _ = try session.writeChunk(bytes) }
    }
    return id
  }

  private func note(_ id: ObjectID) -> ObjectID {
    if wanted.contains(id) { found.insert(id) }
    return id
  }
}
