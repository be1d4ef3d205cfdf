internal import DTMConfiguration
internal import DTMFolder
internal import DTMRepository
internal import DTMRules
internal import DTMSystem
internal import SystemPackage

/// What a folder's history uses of its disk, and how that goes on.
struct Statistics {
  /// What the room is told by.
  enum Grouping: String, CaseIterable {
    case file, snapshot, type, stage
  }

  /// One row of a grouping.
  struct Row {
    let name: String
    /// Of a file.
    var path: PathKey?
    var room = Usage.Room()
  }

  let usage: Usage
  /// The newest snapshot; nil where there is none.
  let newest: KnownSnapshot?
  let snapshots: Int
  /// The sum of what the snapshots hold, as if each were a copy.
  let logicalBytes: Int
  /// What was stored in the last so many days, each.
  let growthPerDay: Double
  let growthDays: Double
  let space: FileSystemSpace?
  /// What the next pruning takes away, and what that alone needs.
  let nextPruned: Int
  let nextFreed: Usage.Room
  /// The largest first; empty without a grouping.
  let rows: [Row]

  /// Growth is looked at over so long.
  private static let growthSpan = Duration.seconds(30 * 86_400)

  /// Reads the metadata of all snapshots.
  init(_ access: FolderAccess, by grouping: Grouping?) throws {
    let retention = Retention(
      try access.keepPolicy().retention, calendar: access.invocation.calendar)
    let plan = try access.history.prunePlan(retention.reasons)
    let all = (plan.kept + plan.pruned).map(\.known).sorted { left, right in
      (left.snapshot.time, left.id) < (right.snapshot.time, right.id)
    }
    snapshots = all.count
    newest = access.history.head.flatMap { id in all.first { $0.id == id } }
    logicalBytes = all.reduce(0) { sum, known in
      let (total, isTooLarge) = sum.addingReportingOverflow(known.snapshot.counts.bytes)
      return isTooLarge ? .max : total
    }
    let walk = try UsageWalk(access.repository)
    for verdict in plan.kept { try walk.add(verdict.known.id) }
    var freed = Usage.Room()
    for verdict in plan.pruned { freed.add(try walk.add(verdict.known.id)) }
    (nextPruned, nextFreed, usage) = (plan.pruned.count, freed, walk.usage)
    rows = try grouping.map { try Self.rows(all, by: $0, access) } ?? []
    (growthPerDay, growthDays) = try Self.growth(all, access)
    space = try? Descriptor.open(access.location.repository, [.path, .directory]).space()
  }

  private static func growth(
    _ all: [KnownSnapshot], _ access: FolderAccess
  ) throws -> (perDay: Double, days: Double) {
    let now = access.invocation.time.now()
    let since = now.advanced(by: .zero - growthSpan)
    // The first snapshot is no growth.
    let recent = all.dropFirst().filter { $0.snapshot.time >= since }
    guard let first = all.first, !recent.isEmpty else { return (0, 0) }
    var stored = 0
    for known in recent {
      stored += try access.report(known).storedBytes ?? 0
    }
    let start = max(first.snapshot.time.seconds, since.seconds)
    let days = max(Double(now.seconds - start) / 86_400, 1)
    return (Double(stored) / days, days)
  }

  private static func rows(
    _ all: [KnownSnapshot], by grouping: Grouping, _ access: FolderAccess
  ) throws -> [Row] {
    let walk = try UsageWalk(access.repository)
    var rows: [String: Row] = [:]
    var files: [[UInt8]: Row] = [:]
    func add(_ name: String, _ room: Usage.Room) {
      rows[name, default: Row(name: name)].room.add(room)
    }
    for known in all {
      switch grouping {
      case .snapshot: add(known.id.hex, try walk.add(known.id))
      case .stage:
        let stage = try access.report(known).labels["stage"]
        add(stage ?? "(no stage)", try walk.add(known.id))
      case .file:
        try walk.add(known.id) { key, room in
          guard let key else { return add("(history)", room) }
          let path = PathKey(bytes: key)
          files[key, default: Row(name: Quoting.path(path), path: path)].room.add(room)
        }
      case .type:
        try walk.add(known.id) { key, room in
          add(key.map(typeName) ?? "(history)", room)
        }
      }
    }
    return (Array(rows.values) + Array(files.values)).sorted { left, right in
      (right.room.storedBytes, left.name) < (left.room.storedBytes, right.name)
    }
  }

  /// `.parquet`; of a name without one `(none)`.
  private static func typeName(_ key: [UInt8]) -> String {
    let name = key.split(separator: 0).last ?? []
    guard let dot = name.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex,
      name.index(after: dot) < name.endIndex
    else { return "(none)" }
    return Quoting.path(Array(name[dot...])).lowercased()
  }

  // MARK: - What follows from it

  /// How many bytes of snapshots one byte of different content is.
  var deduplication: Double? { Self.ratio(Double(logicalBytes), Double(usage.needed.rawBytes)) }
  var compression: Double? { Self.ratio(Double(usage.needed.rawBytes), usage.needed.storedBytes) }
  /// What nobody needs any more.
  var wasteBytes: Int { max(0, usage.packBytes - Int(usage.needed.storedBytes)) }
  /// When the disk is full if it goes on like this; nil where nothing grows.
  var daysUntilFull: Double? {
    guard let space, growthPerDay >= 1 else { return nil }
    return Double(space.freeBytes) / growthPerDay
  }

  private static func ratio(_ many: Double, _ few: Double) -> Double? {
    few > 0 ? many / few : nil
  }
}
