internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// Prints what `ls` lists.
final class ListPrinter {
  private static let batch = 1000

  private let list: List
  private let invocation: Invocation
  private let style: Style
  private var table = ListPrinter.emptyTable()
  private var rows = 0
  private var json = JSONWriter(pretty: true)
  private var entries: [TreeEntry] = []

  init(_ list: List, _ invocation: Invocation) {
    self.list = list
    self.invocation = invocation
    style = invocation.style
  }

  private static func emptyTable() -> Table {
    Table([.left, .left, .left, .right, .left, .left])
  }

  func add(_ entry: TreeEntry) throws {
    if list.options.json {
      entries.append(entry)
    } else if list.long {
      table.append(cells(entry))
      rows += 1
      if rows == Self.batch { try flush() }
    } else {
      try invocation.output.line(list.options.quiet ? Quoting.path(entry.key) : name(entry))
    }
  }

  func finish() throws {
    if list.options.json {
      json.array { writer in
        for entry in entries { writer.object { ListPrinter.write(entry, &$0) } }
      }
      json.endLine()
      return try invocation.output.write(json.bytes)
    }
    try flush()
  }

  private func flush() throws {
    for line in table.lines() { try invocation.output.line(line) }
    table = Self.emptyTable()
    rows = 0
  }

  private func cells(_ entry: TreeEntry) -> [Table.Cell] {
    [
      Table.Cell(entry.modeText),
      Table.Cell(Self.owner(entry.owner)), Table.Cell(Self.owner(entry.group)),
      Table.Cell(entry.kind == .file ? HumanUnits.bytes(Int(clamping: entry.size)) : ""),
      Table.Cell(
        invocation.calendar.display(Timestamp(entry.modified))),
      Table.Cell(name(entry)),
    ]
  }

  private static func owner(_ owner: Owner) -> String {
    owner.name.isEmpty ? String(owner.id) : Quoting.path(owner.name)
  }

  private func name(_ entry: TreeEntry) -> String {
    let path = Quoting.path(entry.key)
    switch (entry.kind, entry.content) {
    case (.directory, _): return style.directory(path) + "/"
    case (.symlink, .target(let target)):
      return style.link(path) + " → " + Quoting.path(target)
    default: return path
    }
  }

  private static func write(_ entry: TreeEntry, _ writer: inout JSONWriter) {
    writer.field("path", path: entry.key)
    writer.field("kind", entry.kind.word)
    writer.field("mode", entry.permissionsText)
    writer.field("size", entry.kind == .file ? Int(clamping: entry.size) : nil)
    writer.field("mtime", Timestamp(entry.modified).rfc3339)
    var id: String?
    var target: [UInt8]?
    switch entry.content {
    case .chunk(let chunk): id = chunk.hex
    case .inline(let bytes): id = Digest.id(.chunk, bytes).hex
    case .target(let bytes): target = bytes
    default: break
    }
    writer.field("id", id)
    writer.key("target")
    guard let target else { return writer.null() }
    writer.bytes(target)
  }
}
