/// The open page of a level of 1 or more (format: Inner page).
struct InnerPageWriter: PageWriter {
  private let level: UInt8
  private var keys: PageKeyWriter
  private var body = ByteWriter()
  private var totals = PageTotals()
  private var latest: ObjectID?

  init(level: UInt8) {
    self.level = level
    keys = PageKeyWriter(level: level)
  }

  var isEmpty: Bool { entryCount == 0 }
  var entryCount: Int { keys.border.entries }
  var onlyChild: ObjectID? { entryCount == 1 ? latest : nil }

  mutating func append(_ child: Child) throws(RepositoryError) -> Bool {
    try append(
      child.key, from: 0, to: child.key.count, id: child.id, entries: child.entries,
      fileBytes: child.fileBytes)
  }

  mutating func append(_ page: InnerPage, _ index: Int) throws(RepositoryError) -> Bool {
    try append(
      page.keys.bytes, from: page.keys.start(index), to: page.keys.end(index),
      id: page.children[index], entries: page.entries[index], fileBytes: page.fileBytes[index])
  }

  private mutating func append(
    _ bytes: [UInt8], from start: Int, to end: Int, id: ObjectID, entries: Int, fileBytes: UInt64
  ) throws(RepositoryError) -> Bool {
    try totals.add(entries: entries, fileBytes: fileBytes)
    let ends = keys.append(bytes, from: start, to: end, into: &body)
    body.id(id)
    body.varint(entries)
    body.varint(fileBytes)
    latest = id
    return ends
  }

  mutating func close(to objects: any ObjectWriter) throws(RepositoryError) -> Child {
    let id = try objects.write(.page, encoding())
    let child = Child(
      key: keys.first, id: id, entries: totals.entries, fileBytes: totals.fileBytes)
    keys.restart()
    body.bytes.removeAll(keepingCapacity: true)
    totals = PageTotals()
    return child
  }

  /// The page as it would be if it ended here.
  func encoding() -> [UInt8] {
    var page = ByteWriter(reserving: body.bytes.count + 16)
    page.u8(level)
    page.varint(entryCount)
    page.raw(body.bytes)
    return page.bytes
  }
}
