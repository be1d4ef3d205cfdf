internal import DTMSystem

/// Reads objects out of packs, each checked against its id. Not for two threads at once.
final class PackReader: ObjectReader {
  /// Frames kept unpacked: neighbours in path order are read after one another.
  private static let cachedFrames = 12
  /// Frame headers kept to confirm what a table says.
  private static let cachedHeaders = 64
  /// So many rows of a frame are sooner looked through than tables.
  private static let fewRows = 16

  private struct Place: Hashable {
    let pack: PackID
    let offset: Int

    init(_ location: ObjectLocation) {
      pack = location.pack.id
      offset = location.frameOffset
    }
  }

  /// What the header of a frame names.
  private struct KnownHeader {
    let place: Place
    let names: Set<ObjectName>
    /// Whether the payload was checked too.
    let isChecked: Bool
  }

  let catalog: PackCatalog
  let files: any FileOperations
  private let zstd: Zstd
  private var frames: [(place: Place, frame: DecodedFrame)] = []
  private var headers: [KnownHeader] = []
  /// Frames that were found damaged: nothing is taken for stored because they hold it.
  private var damaged: Set<Place> = []

  init(_ catalog: PackCatalog, files: any FileOperations, zstd: Zstd) {
    self.catalog = catalog
    self.files = files
    self.zstd = zstd
  }

  /// Lists the packs anew for a session of an epoch.
  func listAnew(in epoch: String) throws(RepositoryError) {
    try forgetGone()
    catalog.epoch = epoch
  }

  private func forgetGone() throws(RepositoryError) {
    let gone = try catalog.forgetGone()
    if gone.isEmpty { return }
    headers.removeAll { gone.contains($0.place.pack) }
    frames.removeAll { gone.contains($0.place.pack) }
  }

  /// Lists the packs anew; returns whether any came or went, as they do beside a collection.
  func listAgain() throws(RepositoryError) -> Bool {
    let before = catalog.packs
    try forgetGone()
    return catalog.packs != before
  }

  func read(_ id: ObjectID, _ kind: ObjectKind) throws(RepositoryError) -> [UInt8] {
    var firstFailure: RepositoryError?
    if let bytes = try read(id, kind, catalog.locations(of: id, kind), &firstFailure) {
      return bytes
    }
    // A collection may have moved it to another pack, or is about to take away what somebody who
    // began earlier has built on.
    try forgetGone()
    if let bytes = try read(id, kind, catalog.locations(of: id, kind), &firstFailure) {
      return bytes
    }
    if let bytes = try read(
      id, kind, try catalog.condemnedLocations(of: id, kind), &firstFailure)
    {
      return bytes
    }
    if try catalog.audit(),
      let bytes = try read(id, kind, catalog.locations(of: id, kind), &firstFailure)
    {
      return bytes
    }
    throw firstFailure
      ?? RepositoryError(
        .notFound, "no pack holds the \(kind) \(id)", object: id, objectKind: kind)
  }

  /// The object, which is looked for in one place first.
  func read(
    _ id: ObjectID, _ kind: ObjectKind, first location: ObjectLocation
  ) throws(RepositoryError) -> [UInt8] {
    var failure: RepositoryError?
    if let bytes = try read(id, kind, [location], &failure) { return bytes }
    return try read(id, kind)
  }

  /// Where an object is that stands in the frame that was read last, a small one: no table is asked. Nil
  /// where it does not, and where the pack does not count.
  func locationInNewestFrame(of name: ObjectName) -> ObjectLocation? {
    guard let (place, frame) = frames.last, frame.header.rows.count <= Self.fewRows,
      frame.header.rows.contains(where: { $0.id == name.id && $0.kind == name.kind }),
      let pack = catalog.handle(place.pack)
    else { return nil }
    return ObjectLocation(pack: pack, frameOffset: place.offset)
  }

  /// The object from the first place where it is whole.
  private func read(
    _ id: ObjectID, _ kind: ObjectKind, _ locations: [ObjectLocation],
    _ firstFailure: inout RepositoryError?
  ) throws(RepositoryError) -> [UInt8]? {
    for location in locations {
      do throws(RepositoryError) {
        let pack = try location.pack.file(files)
        let frame = try self.frame(pack, location)
        if let bytes = try frame.object(id, kind, in: pack) { return bytes }
      } catch {
        // Another copy may be whole; if none is, the first failure is what is said.
        guard error.code == .corrupt || error.code == .notFound else { throw error }
        damaged.insert(Place(location))
        if firstFailure == nil && error.code == .corrupt { firstFailure = error }
      }
    }
    return nil
  }

  private func frame(
    _ pack: PackFile, _ location: ObjectLocation
  ) throws(RepositoryError) -> DecodedFrame {
    let place = Place(location)
    if let at = frames.lastIndex(where: { $0.place == place }) {
      if at < frames.count - 1 { frames.append(frames.remove(at: at)) }
      return frames[frames.count - 1].frame
    }
    let frame = try pack.frame(at: location.frameOffset, zstd)
    if frames.count >= Self.cachedFrames { frames.removeFirst() }
    frames.append((place, frame))
    return frame
  }

  /// A frame whose payload's checksum is right. Throws `.corrupt`, `.notFound`.
  func checkedFrame(_ location: ObjectLocation) throws(RepositoryError) -> DecodedFrame {
    try location.pack.file(files).frame(at: location.frameOffset, zstd, checksPayload: true)
  }

  /// Whether the repository holds the object for sure: a table names it, and the header of the
  /// frame, whose checksum is right, does too.
  ///
  /// `checksPayload`: the frame is read whole and its payload's checksum compared. A frame that was
  /// found damaged since this reader was opened does not count either way.
  func holds(
    _ id: ObjectID, _ kind: ObjectKind, checksPayload: Bool = false
  ) throws(RepositoryError) -> Bool {
    let name = ObjectName(id: id, kind: kind)
    for location in catalog.locations(of: id, kind) {
      let place = Place(location)
      if damaged.contains(place) { continue }
      if let at = headers.lastIndex(where: { $0.place == place }) {
        if !headers[at].names.contains(name) { continue }
        if headers[at].isChecked || !checksPayload { return true }
        headers.remove(at: at)
      }
      do throws(RepositoryError) {
        let pack = try location.pack.file(files)
        let header =
          checksPayload
          ? try pack.frame(at: location.frameOffset, zstd, checksPayload: true).header
          : try pack.frameHeader(at: location.frameOffset)
        if headers.count >= Self.cachedHeaders { headers.removeFirst() }
        let names = Set(header.rows.map { ObjectName(id: $0.id, kind: $0.kind) })
        headers.append(KnownHeader(place: place, names: names, isChecked: checksPayload))
        if names.contains(name) { return true }
      } catch {
        // Damaged or gone there: then it is stored again.
        if error.code != .corrupt && error.code != .notFound { throw error }
        damaged.insert(place)
      }
    }
    return false
  }
}
