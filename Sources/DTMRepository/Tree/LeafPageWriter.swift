internal import DTMSystem

/// The open leaf page (format: Leaf page).
struct LeafPageWriter: PageWriter {
  private var keys = PageKeyWriter(level: 0)
  /// The entries; the tables, which stand before them, are known at the page's end.
  private var body = ByteWriter()
  private var owners = OwnerTable()
  private var groups = OwnerTable()
  private var totals = PageTotals()

  var isEmpty: Bool { entryCount == 0 }
  var entryCount: Int { keys.border.entries }
  var onlyChild: ObjectID? { nil }

  mutating func append(_ entry: TreeEntry) throws(RepositoryError) -> Bool {
    if let flaw = entry.flaw() {
      throw RepositoryError(.invalidInput, "\(Quoting.path(entry.key.path)): \(flaw)")
    }
    try totals.add(entries: 1, fileBytes: entry.kind == .file ? entry.size : 0)
    let ends = keys.append(
      entry.key.bytes, from: 0, to: entry.key.bytes.count, into: &body)
    body.u8(entry.kind.rawValue)
    body.varint(Self.flags(entry))
    body.varint(UInt64(entry.permissions))
    body.varint(owners.row(of: entry.owner))
    body.varint(groups.row(of: entry.group))
    body.svarint(entry.modified.seconds)
    body.varint(UInt64(entry.modified.nanoseconds))
    body.varint(entry.size)
    append(entry.content)
    if entry.inodeFlags != 0 { body.varint(UInt64(entry.inodeFlags)) }
    switch entry.attributes {
    case .none: break
    case .inline(let bytes):
      body.u8(LeafFlags.attributesInline)
      body.counted(bytes)
    case .object(let id):
      body.u8(LeafFlags.attributesObject)
      body.id(id)
    }
    if let linkGroup = entry.linkGroup { body.counted(linkGroup.bytes) }
    return ends
  }

  mutating func append(_ page: LeafPage, _ index: Int) throws(RepositoryError) -> Bool {
    let slot = page.slots[index]
    try totals.add(entries: 1, fileBytes: slot.fileBytes)
    let ends = keys.append(
      page.keys.bytes, from: page.keys.start(index), to: page.keys.end(index), into: &body)
    body.raw(page.bytes[Int(slot.value)..<Int(slot.owner)])
    body.varint(owners.row(of: page.owners[Int(slot.ownerIndex)]))
    body.varint(groups.row(of: page.groups[Int(slot.groupIndex)]))
    body.raw(page.bytes[Int(slot.tail)..<Int(slot.end)])
    return ends
  }

  mutating func close(to objects: any ObjectWriter) throws(RepositoryError) -> Child {
    let id = try objects.write(.page, encoding())
    let child = Child(
      key: keys.first, id: id, entries: totals.entries, fileBytes: totals.fileBytes)
    keys.restart()
    body.bytes.removeAll(keepingCapacity: true)
    owners.removeAll()
    groups.removeAll()
    totals = PageTotals()
    return child
  }

  /// The page as it would be if it ended here.
  func encoding() -> [UInt8] {
    var page = ByteWriter(
      reserving: body.bytes.count + owners.encodedLengthLimit + groups.encodedLengthLimit + 16)
    page.u8(0)
    page.varint(entryCount)
    owners.write(to: &page)
    groups.write(to: &page)
    page.raw(body.bytes)
    return page.bytes
  }

  private static func flags(_ entry: TreeEntry) -> UInt64 {
    var flags: UInt64 = 0
    if entry.isSparse { flags |= LeafFlags.sparse }
    if entry.isHot { flags |= LeafFlags.hot }
    if entry.inodeFlags != 0 { flags |= LeafFlags.inodeFlags }
    if entry.attributes != .none { flags |= LeafFlags.attributes }
    if entry.linkGroup != nil { flags |= LeafFlags.linkGroup }
    return flags
  }

  private mutating func append(_ content: Content) {
    switch content {
    case .none: body.u8(ContentTag.none)
    case .inline(let bytes):
      body.u8(ContentTag.inline)
      body.counted(bytes)
    case .chunk(let id):
      body.u8(ContentTag.chunk)
      body.id(id)
    case .list(let id):
      body.u8(ContentTag.list)
      body.id(id)
    case .target(let bytes):
      body.u8(ContentTag.target)
      body.counted(bytes)
    case .device(let major, let minor):
      body.u8(ContentTag.device)
      body.varint(UInt64(major))
      body.varint(UInt64(minor))
    }
  }
}

/// The owners, or groups, of an open page in order of first use.
private struct OwnerTable {
  /// A varint number and a varint length.
  private static let rowOverhead = 15
  private static let searchedRows = 8

  private var owners: [Owner] = []
  /// Filled where the table is longer than what is searched row by row.
  private var rows: [Owner: Int] = [:]
  /// The row used last: neighbours mostly have the same owner.
  private var latest = 0

  mutating func row(of owner: Owner) -> Int {
    if latest < owners.count, owners[latest] == owner { return latest }
    if let row = find(owner) {
      latest = row
      return row
    }
    latest = owners.count
    owners.append(owner)
    if owners.count > Self.searchedRows {
      if rows.isEmpty {
        for (row, owner) in owners.enumerated() { rows[owner] = row }
      } else {
        rows[owner] = latest
      }
    }
    return latest
  }

  private func find(_ owner: Owner) -> Int? {
    rows.isEmpty ? owners.firstIndex(of: owner) : rows[owner]
  }

  mutating func removeAll() {
    owners.removeAll(keepingCapacity: true)
    if !rows.isEmpty { rows.removeAll() }
    latest = 0
  }

  var encodedLengthLimit: Int {
    owners.reduce(Self.rowOverhead) { $0 + Self.rowOverhead + $1.name.count }
  }

  func write(to page: inout ByteWriter) {
    page.list(owners) { writer, owner in
      writer.varint(UInt64(owner.id))
      writer.counted(owner.name)
    }
  }
}
