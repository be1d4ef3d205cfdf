/// Knows which objects can't be read, and reports each once.
///
/// It remembers what is broken and which lists it has gone through; whether a chunk is there is looked
/// up each time, which is cheaper than to remember it.
final class PresenceCheck {
  var damage: [Damage] = []

  private let repository: Repository
  private let assumed: Set<ObjectID>
  /// Index into `damage` of each object that can't be read.
  private var broken: [ObjectName: Int] = [:]
  private var excluded: Set<PackID> = []
  /// Objects of damaged frames: other copies may be whole.
  private var suspects: [(names: [ObjectName], file: String, message: String)] = []
  private var soundLists: Set<ObjectID> = []

  init(_ repository: Repository, assuming assumed: Set<ObjectID>) {
    self.repository = repository
    self.assumed = assumed
  }

  var hasBroken: Bool { !broken.isEmpty }

  /// The index into `damage` of an object that can't be read; nil for others.
  func index(of name: ObjectName) -> Int? { broken[name] }

  /// Leaves out what a pack is said to hold: it can't be opened.
  func exclude(_ pack: PackID) { excluded.insert(pack) }

  func report(_ damage: Damage) { self.damage.append(damage) }

  /// Takes in a finding; `settleSuspects` decides later which of the objects are lost.
  func suspect(_ names: [ObjectName], file: String, _ message: String) {
    suspects.append((names, file, message))
  }

  /// Reads each object of the damaged frames: what no copy gives is lost. A finding that costs no
  /// object is reported by itself.
  func settleSuspects() throws(RepositoryError) {
    for (names, file, message) in suspects {
      var isCostly = false
      for name in names where try !isReadable(name) {
        lose(name, file: file, message)
        isCostly = true
      }
      if !isCostly { report(Damage(object: nil, file: file, message: message)) }
    }
    suspects = []
  }

  private func isReadable(_ name: ObjectName) throws(RepositoryError) -> Bool {
    do throws(RepositoryError) {
      _ = try repository.objects.read(name.id, name.kind)
      return true
    } catch {
      guard error.code == .corrupt || error.code == .notFound else { throw error }
      return false
    }
  }

  /// Reports an object as lost, once; returns its index in `damage`.
  @discardableResult
  func lose(_ name: ObjectName, file: String, _ message: String) -> Int {
    if let index = broken[name] { return index }
    broken[name] = damage.count
    damage.append(Damage(object: name.id, file: file, message: message))
    return damage.count - 1
  }

  /// Whether a pack that can be opened is said to hold the object.
  func isKnown(_ name: ObjectName) throws(RepositoryError) -> Bool {
    let catalog = repository.packs.catalog
    let isThere = catalog.locations(of: name.id, name.kind).contains {
      !excluded.contains($0.pack.id)
    }
    if isThere { return true }
    return try !catalog.condemnedLocations(of: name.id, name.kind).isEmpty
  }

  /// Whether an object, and what a list names, can be read; reports what can't.
  func check(_ name: ObjectName) throws(RepositoryError) {
    if broken[name] != nil { return }
    if name.kind == .list, !soundLists.insert(name.id).inserted { return }
    var isHere = name.kind == .chunk && assumed.contains(name.id)
    if !isHere { isHere = try isKnown(name) }
    guard isHere else {
      lose(name, file: "", "no pack holds the \(name.kind) \(name.id)")
      return
    }
    guard name.kind == .list, let list = try readList(name.id) else { return }
    for child in list.children {
      guard let id = child.id else { continue }
      try check(ObjectName(id: id, kind: list.height == 0 ? .chunk : .list))
    }
  }

  /// A list; nil, reported, where it can't be read.
  func readList(_ id: ObjectID) throws(RepositoryError) -> ContentList? {
    let name = ObjectName(id: id, kind: .list)
    if broken[name] != nil { return nil }
    do throws(RepositoryError) {
      let bytes = try repository.objects.read(id, .list)
      do throws(DecodingFailure) { return try ContentList(decoding: bytes) } catch {
        throw RepositoryError(error, of: "list \(id)", object: id)
      }
    } catch {
      guard error.code == .corrupt || error.code == .notFound else { throw error }
      lose(name, file: error.file ?? "", error.message)
      return nil
    }
  }
}
