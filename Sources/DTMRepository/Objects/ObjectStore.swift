/// Reads objects by id.
package protocol ObjectReader: AnyObject {
  /// An object's bytes, checked against its id.
  ///
  /// Throws `.notFound` when no pack has it, `.corrupt` when no copy has the right bytes.
  func read(_ id: ObjectID, _ kind: ObjectKind) throws(RepositoryError) -> [UInt8]
}

/// Reads objects, and writes those that are not there yet.
package protocol ObjectWriter: ObjectReader {
  /// Makes sure that the repository holds the object, and returns its id. Not durable by itself:
  /// the commit is.
  func write(_ kind: ObjectKind, _ bytes: [UInt8]) throws(RepositoryError) -> ObjectID
}

/// Objects in memory, for tests and for trees that are looked at and not kept (the folder as it is
/// now).
package final class MemoryObjects: ObjectWriter {
  private var objects: [ObjectName: [UInt8]] = [:]
  private let base: (any ObjectReader)?

  /// Reads through to `base` what it does not hold itself.
  package init(over base: (any ObjectReader)? = nil) {
    self.base = base
  }

  package func read(_ id: ObjectID, _ kind: ObjectKind) throws(RepositoryError) -> [UInt8] {
    if let bytes = objects[ObjectName(id: id, kind: kind)] { return bytes }
    if let base { return try base.read(id, kind) }
    throw RepositoryError(.notFound, "no \(kind) \(id)", object: id)
  }

  package func write(_ kind: ObjectKind, _ bytes: [UInt8]) throws(RepositoryError) -> ObjectID {
    let id = Digest.id(kind, bytes)
    objects[ObjectName(id: id, kind: kind)] = bytes
    return id
  }
}
