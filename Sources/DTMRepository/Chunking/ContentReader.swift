internal import DTMSystem

/// Gives back a file's content in order, each part checked.
package struct ContentReader {
  /// One part of a file, in order and without gaps.
  package struct Part: Sendable, Hashable {
    /// Where the bytes of a piece come from.
    package enum Source: Sendable, Hashable {
      case bytes([UInt8])
      case chunk(ObjectID)
      case hole
    }
    /// Where in the file, in bytes.
    package let offset: Int
    /// In bytes of the file.
    package let length: Int
    package let source: Source
  }

  private let objects: any ObjectReader

  /// `objects`: checks what it reads; a damaged chunk throws `.corrupt`.
  package init(_ objects: any ObjectReader) {
    self.objects = objects
  }

  /// Calls `body` with each part; reads lists, but no chunk.
  ///
  /// Throws `.corrupt` when the parts are not `size` bytes together.
  package func forEachPart(
    of content: Content, size: UInt64, _ body: (Part) throws(RepositoryError) -> Void
  ) throws(RepositoryError) {
    guard let size = Int(exactly: size) else {
      throw RepositoryError(.corrupt, "a file of \(size) bytes")
    }
    var end = 0
    switch content {
    case .none, .target, .device:
      break
    case .inline(let bytes):
      end = bytes.count
      if !bytes.isEmpty { try body(Part(offset: 0, length: end, source: .bytes(bytes))) }
    case .chunk(let id):
      end = size
      try body(Part(offset: 0, length: size, source: .chunk(id)))
    case .list(let id):
      try walk(id, height: nil, offset: &end, body)
    }
    if end != size {
      throw RepositoryError(.corrupt, "content of \(end) bytes stands for a file of \(size)")
    }
  }

  /// The checked bytes of a chunk part.
  package func chunk(_ id: ObjectID, length: Int) throws(RepositoryError) -> [UInt8] {
    let bytes = try objects.read(id, .chunk)
    if bytes.count != length {
      throw RepositoryError(
        .corrupt, "chunk \(id) has \(bytes.count) bytes where \(length) are expected", object: id)
    }
    return bytes
  }

  /// Calls `body` with each run of data and its offset; holes are passed over.
  package func forEachRun(
    of content: Content, size: UInt64, _ body: (Int, [UInt8]) throws(RepositoryError) -> Void
  ) throws(RepositoryError) {
    try forEachPart(of: content, size: size) { part throws(RepositoryError) in
      switch part.source {
      case .bytes(let bytes): try body(part.offset, bytes)
      case .chunk(let id): try body(part.offset, try chunk(id, length: part.length))
      case .hole: break
      }
    }
  }

  /// The whole content, holes as zeros; for small files.
  package func bytes(of content: Content, size: UInt64) throws(RepositoryError) -> [UInt8] {
    var result: [UInt8] = []
    try forEachRun(of: content, size: size) { offset, run throws(RepositoryError) in
      if offset > result.count { result += [UInt8](repeating: 0, count: offset - result.count) }
      result += run
    }
    if result.count < Int(size) {
      result += [UInt8](repeating: 0, count: Int(size) - result.count)
    }
    return result
  }

  private func walk(
    _ id: ObjectID, height: Int?, offset: inout Int,
    _ body: (Part) throws(RepositoryError) -> Void
  ) throws(RepositoryError) {
    let bytes = try objects.read(id, .list)
    let list: ContentList
    do throws(DecodingFailure) {
      list = try ContentList(decoding: bytes)
    } catch {
      throw RepositoryError(error, of: "list \(id)", object: id)
    }
    if let height, list.height != height {
      throw RepositoryError(
        .corrupt, "list \(id) has height \(list.height) where \(height) is expected", object: id)
    }
    for child in list.children {
      let start = offset
      if let childID = child.id, list.height > 0 {
        try walk(childID, height: list.height - 1, offset: &offset, body)
        if offset - start != child.length {
          throw RepositoryError(
            .corrupt, "list \(childID) covers \(offset - start) bytes, not \(child.length)",
            object: childID)
        }
      } else {
        let source: Part.Source = child.id.map { .chunk($0) } ?? .hole
        try body(Part(offset: start, length: child.length, source: source))
        let (end, overflow) = start.addingReportingOverflow(child.length)
        if overflow { throw RepositoryError(.corrupt, "list \(id) is too long", object: id) }
        offset = end
      }
    }
  }
}
