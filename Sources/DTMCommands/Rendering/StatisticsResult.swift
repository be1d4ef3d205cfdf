internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// What a history uses of the disk, for people and for programs.
struct StatisticsResult {
  private let statistics: Statistics
  private let access: FolderAccess
  private let limit: Int

  init(_ statistics: Statistics, _ access: FolderAccess, limit: Int) {
    self.statistics = statistics
    self.access = access
    self.limit = limit
  }

  private var output: Output { access.invocation.output }

  func writeJSON(by grouping: Statistics.Grouping?) throws {
    let usage = statistics.usage
    var writer = JSONWriter(pretty: true)
    writer.object { writer in
      writer.field("snapshots", statistics.snapshots)
      writer.field("files", statistics.newest?.snapshot.counts.files ?? 0)
      writer.field("bytes", statistics.newest?.snapshot.counts.bytes ?? 0)
      writer.field("logicalBytes", statistics.logicalBytes)
      writer.field("uniqueBytes", usage.needed.rawBytes)
      writer.field("storedBytes", Int(usage.needed.storedBytes))
      writer.field("packBytes", usage.packBytes)
      writer.field("logBytes", usage.logBytes)
      writer.field("wasteBytes", statistics.wasteBytes)
      writer.field("deduplication", statistics.deduplication)
      writer.field("compression", statistics.compression)
      writer.field("growthBytesPerDay", Int(statistics.growthPerDay))
      writer.field("diskFreeBytes", statistics.space?.freeBytes)
      writer.field("daysUntilFull", statistics.daysUntilFull)
      writer.object("nextPrune") { writer in
        writer.field("snapshots", statistics.nextPruned)
        writer.field("bytes", Int(statistics.nextFreed.storedBytes))
      }
      if let grouping { write(grouping, &writer) }
    }
    writer.endLine()
    try output.write(writer.bytes)
  }

  private func write(_ grouping: Statistics.Grouping, _ writer: inout JSONWriter) {
    writer.field("by", grouping.rawValue)
    writer.array("rows") { writer in
      for row in statistics.rows.prefix(limit) {
        writer.object { writer in
          if let path = row.path {
            writer.field("path", path: path)
          } else {
            writer.field("name", row.name)
          }
          writer.field("storedBytes", Int(row.room.storedBytes))
          writer.field("rawBytes", row.room.rawBytes)
        }
      }
    }
  }

  func print(by grouping: Statistics.Grouping?, isQuiet: Bool) throws {
    if isQuiet {
      return try output.line(String(statistics.usage.packBytes + statistics.usage.logBytes))
    }
    for line in summary.lines() { try output.line(line) }
    guard let grouping else { return }
    try output.line("")
    for line in table(grouping).lines() { try output.line(line) }
    if statistics.rows.count > limit {
      try output.line("and \(Words.grouped(statistics.rows.count - limit)) more; -n shows more")
    }
  }

  private var summary: Table {
    var table = Table([.left, .right, .flexible], terminalWidth: access.invocation.width)
    func add(_ name: String, _ bytes: Int, _ text: String) {
      table.append([
        Table.Cell(name, access.invocation.style.quiet), Table.Cell(HumanUnits.bytes(bytes)),
        Table.Cell(text),
      ])
    }
    let usage = statistics.usage
    let counts = statistics.newest?.snapshot.counts
    add("the newest snapshot", counts?.bytes ?? 0, Words.count(counts?.files ?? 0, "file"))
    add("all snapshots", statistics.logicalBytes, Words.count(statistics.snapshots, "snapshot"))
    add("each content once", usage.needed.rawBytes, Self.ratio(statistics.deduplication, "fewer"))
    add(
      "as it is stored", Int(usage.needed.storedBytes),
      Self.ratio(statistics.compression, "smaller"))
    add("not needed any more", statistics.wasteBytes, waste)
    add("the ref log", usage.logBytes, "each record twice")
    let isYoung = statistics.growthDays < 2
    add(
      "growth a day", Int(statistics.growthPerDay),
      isYoung ? "" : "over \(Int(statistics.growthDays)) days")
    if let space = statistics.space { add("free on the disk", space.freeBytes, full) }
    if statistics.nextPruned > 0 {
      add(
        "the next prune", Int(statistics.nextFreed.storedBytes),
        "needed only by the \(Words.count(statistics.nextPruned, "snapshot")) that it takes away")
    }
    return table
  }

  private var waste: String {
    let isMuch = statistics.wasteBytes > statistics.usage.packBytes / 10
    return isMuch ? "dtm gc frees it, dtm gc --now what was pruned just now too" : ""
  }

  private var full: String {
    guard let days = statistics.daysUntilFull else { return "" }
    if days > 3650 { return "for more than ten years at this rate" }
    return "for \(HumanUnits.duration(.seconds(Int(days * 86_400)))) at this rate"
  }

  private static func ratio(_ value: Double?, _ word: String) -> String {
    guard let value, value >= 1.05 else { return "" }
    let tenths = Int((value * 10).rounded())
    return "\(tenths / 10).\(tenths % 10) times \(word)"
  }

  private func table(_ grouping: Statistics.Grouping) -> Table {
    let style = access.invocation.style
    var table = Table([.right, .right, .flexible], terminalWidth: access.invocation.width)
    let header = ["stored", "unpacked", grouping.rawValue]
    table.append(header.map { Table.Cell($0, style.quiet) })
    for row in statistics.rows.prefix(limit) {
      let name =
        grouping == .snapshot ? String(row.name.prefix(Words.shortIDLength)) : row.name
      table.append([
        Table.Cell(HumanUnits.bytes(Int(row.room.storedBytes))),
        Table.Cell(HumanUnits.bytes(row.room.rawBytes)),
        Table.Cell(Words.visible(name), style.name),
      ])
    }
    return table
  }
}
