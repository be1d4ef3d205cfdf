/// A node of the Merkle list behind a file of several chunks, or with holes (format: Lists).
package struct ContentList: Hashable, Sendable {
  /// One child: what it is, and how many bytes of content it covers.
  package struct Child: Hashable, Sendable {
    /// Nil for a hole.
    package let id: ObjectID?
    package let length: Int

    package init(id: ObjectID?, length: Int) {
      self.id = id
      self.length = length
    }
  }

  static let minimumChildren = 16
  static let maximumChildren = 512
  /// A chunk of 64 bytes at least under each, so 2^63 bytes need fewer levels than this.
  static let maximumHeight = 16

  /// 0: the children are chunks and holes; n: lists of height n - 1.
  package let height: Int
  package let children: [Child]

  package var encoded: [UInt8] {
    var writer = ByteWriter(reserving: 4 + children.count * 35)
    writer.u8(UInt8(height))
    writer.list(children) { writer, child in
      writer.varint(UInt64(child.length) << 1 | (child.id == nil ? 1 : 0))
      if let id = child.id { writer.id(id) }
    }
    return writer.bytes
  }

  package init(height: Int, children: [Child]) {
    self.height = height
    self.children = children
  }

  /// Decodes and checks everything that one list can show by itself.
  package init(decoding bytes: [UInt8]) throws(DecodingFailure) {
    var reader = ByteReader(bytes)
    let height = Int(try reader.u8())
    if height > Self.maximumHeight { throw reader.failure("a list of height \(height)") }
    var total = 0
    var lastWasHole = false
    children = try reader.list { reader throws(DecodingFailure) in
      let word = try reader.varint()
      let isHole = word & 1 == 1
      let length = Int(word >> 1)
      let (sum, overflow) = total.addingReportingOverflow(length)
      if length == 0 || overflow { throw reader.failure("a child of \(length) bytes") }
      if isHole && (height > 0 || lastWasHole) { throw reader.failure("a hole in a wrong place") }
      total = sum
      lastWasHole = isHole
      return Child(id: isHole ? nil : try reader.id(), length: length)
    }
    if children.isEmpty || children.count > Self.maximumChildren {
      throw reader.failure("a list of \(children.count) children")
    }
    if !reader.isAtEnd { throw reader.failure("\(reader.remaining) bytes too many") }
    self.height = height
  }

  /// Whether a list ends after this child, the `count`th of it (format: Lists).
  static func isBorder(after child: Child, count: Int) -> Bool {
    if count >= maximumChildren { return true }
    guard count >= minimumChildren, let id = child.id else { return false }
    return id.words.0.byteSwapped & 63 == 0
  }
}
