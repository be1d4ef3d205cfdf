internal import DTMSystem

/// Marks everything that snapshots need. Reads metadata alone: of file content the names.
struct LiveWalk {
  private(set) var objects: LiveObjects
  /// Names that were marked lately, each in a place that its id tells: a page of a later snapshot
  /// names most of what the earlier one does. 2.5 MiB. What is marked once stays marked.
  private var recent = [ObjectName?](repeating: nil, count: 1 << 16)
  /// Condemned packs that hold something which is needed and stands nowhere else.
  private(set) var rescued: Set<PackID> = []
  private let reader: PackReader
  /// Called with each object that is marked, and the path, as a key, that it belongs to; nil: to the
  /// snapshot.
  var onNew: ((_ key: [UInt8]?, _ bytes: Int, _ pack: PackFile) -> Void)?
  private var key: [UInt8]?
  private let countsCondemned: Bool
  private let isCancelled: () -> Bool

  /// `countsCondemned`: whether what stands in condemned packs alone is there. `isCancelled`: asked at each
  /// snapshot.
  init(
    _ reader: PackReader, countsCondemned: Bool = true,
    isCancelled: @escaping () -> Bool = { false }
  ) {
    self.reader = reader
    self.countsCondemned = countsCondemned
    self.isCancelled = isCancelled
    objects = LiveObjects(reader)
  }

  /// Marks what a snapshot needs, but for what was marked before.
  ///
  /// Throws `.corrupt` where something of it is missing or damaged: then nobody knows all that is
  /// needed. Throws `.cancelled`.
  mutating func mark(_ snapshot: ObjectID) throws(RepositoryError) {
    guard try isNewSnapshot(snapshot) else { return }
    let bytes = try read(snapshot, .snapshot)
    try markPage(try Snapshot(decoding: bytes, id: snapshot).tree)
  }

  /// The same, of a snapshot that was read and has this tree.
  mutating func mark(_ snapshot: ObjectID, tree: ObjectID) throws(RepositoryError) {
    if try isNewSnapshot(snapshot) { try markPage(tree) }
  }

  private mutating func isNewSnapshot(_ id: ObjectID) throws(RepositoryError) -> Bool {
    if isCancelled() { throw RepositoryError(.cancelled, "the collection was ended") }
    return try isNew(ObjectName(id: id, kind: .snapshot))
  }

  private mutating func markPage(_ id: ObjectID) throws(RepositoryError) {
    guard try isNew(ObjectName(id: id, kind: .page)) else { return }
    let bytes = try read(id, .page)
    if onNew != nil { return try markPage(try Page(decoding: bytes, id: id)) }
    for (object, kind) in try PageReferences.of(bytes, id: id) {
      if kind == .page { try markPage(object) } else { try markContent(object, kind) }
    }
  }

  /// The same, where it matters to which path each object belongs.
  private mutating func markPage(_ page: Page) throws(RepositoryError) {
    switch page {
    case .inner(let page):
      for child in page.children { try markPage(child) }
    case .leaf(let page):
      for index in 0..<page.keys.count {
        let references = try page.references(index)
        if !references.isEmpty { key = page.keys.key(index) }
        defer { key = nil }
        for (object, kind) in references { try markContent(object, kind) }
      }
    }
  }

  private mutating func markContent(
    _ id: ObjectID, _ kind: ObjectKind
  ) throws(RepositoryError) {
    if kind == .list { try markList(id) } else { _ = try isNew(ObjectName(id: id, kind: kind)) }
  }

  private mutating func markList(_ id: ObjectID) throws(RepositoryError) {
    guard try isNew(ObjectName(id: id, kind: .list)) else { return }
    let list: ContentList
    let bytes = try read(id, .list)
    do throws(DecodingFailure) { list = try ContentList(decoding: bytes) } catch {
      throw RepositoryError(error, of: "list", object: id)
    }
    for child in list.children {
      guard let object = child.id else { continue }
      if list.height > 0 {
        try markList(object)
      } else {
        _ = try isNew(ObjectName(id: object, kind: .chunk))
      }
    }
  }

  private mutating func isNew(_ name: ObjectName) throws(RepositoryError) -> Bool {
    let place = Int(truncatingIfNeeded: name.id.words.0) & (recent.count - 1)
    if recent[place] == name { return false }
    let isNew = try mark(name)
    recent[place] = name
    return isNew
  }

  private mutating func mark(_ name: ObjectName) throws(RepositoryError) -> Bool {
    // Pages are stored with the snapshot that they are of: the frame that was read for it names them.
    if onNew == nil, let location = reader.locationInNewestFrame(of: name) {
      let mark = try objects.mark(name, at: location)
      if mark != .missing { return mark == .new }
    }
    switch try objects.mark(name) {
    case .new:
      if let onNew, let (bytes, pack) = try objects.room(of: name) { onNew(key, bytes, pack) }
      return true
    case .known: return false
    case .missing:
      if countsCondemned, let (pack, mark) = try objects.markCondemned(name) {
        rescued.insert(pack.id)
        return mark == .new
      }
      throw Self.damage("no pack holds the \(name.kind) \(name.id)")
    }
  }

  private func read(_ id: ObjectID, _ kind: ObjectKind) throws(RepositoryError) -> [UInt8] {
    do throws(RepositoryError) {
      // It was marked just now.
      if let location = objects.newest { return try reader.read(id, kind, first: location) }
      return try reader.read(id, kind)
    } catch {
      guard error.code == .notFound || error.code == .corrupt else { throw error }
      throw Self.damage(error.message)
    }
  }

  private static func damage(_ message: String) -> RepositoryError {
    RepositoryError(
      .corrupt, "\(message): what is needed can't be told, so nothing is freed")
  }

  // MARK: - Marks

  /// See `LiveObjects`.
  mutating func markAll(_ pack: PackFile) { objects.markAll(pack) }
  mutating func sealed(_ pack: PackFile) { objects.sealed(pack) }
}
