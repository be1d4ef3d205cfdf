internal import DTMSystem
internal import SystemPackage

/// Tells what of a repository's room some snapshots use, each object counted for the first that needs it.
package final class UsageWalk {
  private let repository: Repository
  private var walk: LiveWalk
  /// Stored bytes a raw byte, by pack.
  private var ratios: [PackID: Double] = [:]
  package private(set) var usage = Usage()

  /// Looks at the packs. Throws where they can't be looked at.
  package init(_ repository: Repository) throws(RepositoryError) {
    self.repository = repository
    walk = LiveWalk(repository.packs)
    _ = try repository.refresh()
    for handle in repository.packs.catalog.allPacks() {
      let pack = try handle.file(repository.files)
      let size = try onFile(pack.name, "stat") { () throws(Errno) in try pack.file.size() }
      usage.packBytes += size
      let raw = try Self.rawBytes(pack)
      ratios[pack.id] = raw > 0 ? Double(size) / Double(raw) : 0
    }
    for pack in try CondemnedPacks(repository.files).packs() {
      usage.packBytes += try onFile(pack.name, "stat") { () throws(Errno) in try pack.file.size() }
    }
    let names = try onFile("refs", "list") { () throws(Errno) in try repository.files.list("refs") }
    for name in names {
      usage.logBytes += try onFile(name, "stat") { () throws(Errno) in
        try repository.files.open("refs/" + name, writable: false).size()
      }
    }
  }

  private static func rawBytes(_ pack: PackFile) throws(RepositoryError) -> Int {
    if let table = pack.table { return LiveObjects.total(of: table).bytes }
    var total = 0
    try pack.forEachFrame { _, header in total += header.rawLength }
    return total
  }

  /// Counts what a snapshot needs beyond those counted before. Reads its metadata.
  ///
  /// `attribute`: called with each object's room, and the key of the path that needs it; nil for what the
  /// tree itself takes. Throws `.corrupt` where something is missing.
  @discardableResult
  package func add(
    _ snapshot: ObjectID, attribute: @escaping ([UInt8]?, Usage.Room) -> Void = { _, _ in }
  ) throws(RepositoryError) -> Usage.Room {
    var added = Usage.Room()
    let ratios = ratios
    walk.onNew = { key, bytes, pack in
      var room = Usage.Room()
      room.objects = 1
      room.rawBytes = bytes
      room.storedBytes = Double(bytes) * (ratios[pack.id] ?? 1)
      added.add(room)
      attribute(key, room)
    }
    try walk.mark(snapshot)
    walk.onNew = nil
    usage.needed.add(added)
    return added
  }
}

extension Usage.Room {
  /// Adds another's.
  package mutating func add(_ other: Usage.Room) {
    objects += other.objects
    rawBytes += other.rawBytes
    storedBytes += other.storedBytes
  }
}
