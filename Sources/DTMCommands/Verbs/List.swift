internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct List: ReportingVerb {
  static let configuration = CommandConfiguration(
    commandName: "ls",
    abstract: "List what a snapshot holds",
    usage: "dtm ls [SNAPSHOT] [PATH] [options]")

  @Argument(
    help: ArgumentHelp(
      "The snapshot, or WORKING (default: HEAD), then the path", valueName: "snapshot path"))
  var names: [String] = []

  @Argument(
    parsing: .postTerminator,
    help: ArgumentHelp("After --: a path", valueName: "path", visibility: .hidden))
  var paths: [String] = []

  @Flag(name: .customShort("l"), help: "Show mode, owner, size and time")
  var long = false

  @Flag(name: .customShort("R"), help: "List what is beneath directories too")
  var recursive = false

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let arguments = try StateArguments(access, names: names, paths: paths, limit: 1)
    let state = try arguments.states.first ?? .snapshot(access.snapshot("HEAD"))
    let tree = try access.tree(of: state)
    let start = try PathArguments(invocation, access.location).key(".")
    var paths = arguments.paths
    if paths.isEmpty { paths = [try isDirectory(start, tree) ? start : .root] }
    let printer = ListPrinter(self, invocation)
    for path in paths { try list(path, tree, state, printer.add) }
    try printer.finish()
    return .done
  }

  private func isDirectory(_ key: PathKey, _ tree: Tree) throws -> Bool {
    try key.isRoot || tree.entry(key)?.kind == .directory
  }

  private func list(
    _ path: PathKey, _ tree: Tree, _ state: FolderState, _ add: (TreeEntry) throws -> Void
  ) throws {
    if !path.isRoot {
      guard let entry = try tree.entry(path) else {
        throw CommandFailure(
          .notFound, "there is no \(Quoting.path(path)) in \(state.words)",
          hint: "dtm log --path \(Quoting.path(path)) lists the snapshots that changed it")
      }
      if entry.kind != .directory { return try add(entry) }
    }
    var failure: (any Error)?
    let body: (TreeEntry) throws(RepositoryError) -> Bool = { entry in
      do {
        if !entry.key.isRoot { try add(entry) }
        return true
      } catch {
        failure = error
        return false
      }
    }
    if recursive {
      try tree.forEach(beneath: path, body)
    } else {
      try tree.forEachChild(of: path, body)
    }
    if let failure { throw failure }
  }
}

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

extension JSONWriter {
  /// Bytes that are mostly text: a string, or `{"base64": …}` where they are not UTF-8.
  mutating func bytes(_ bytes: [UInt8]) {
    if bytes.isValidUTF8 { return string(String(decoding: bytes, as: UTF8.self)) }
    object { $0.field("base64", String(decoding: Base64.encode(bytes), as: UTF8.self)) }
  }
}

extension FileKind {
  /// As the contract's JSON has it.
  var word: String {
    switch self {
    case .file: "file"
    case .directory: "directory"
    case .symlink: "symlink"
    case .fifo, .socket, .characterDevice, .blockDevice: "other"
    }
  }

  /// The first letter of a line of `ls -l`.
  fileprivate var letter: String {
    switch self {
    case .file: "-"
    case .directory: "d"
    case .symlink: "l"
    case .fifo: "p"
    case .socket: "s"
    case .characterDevice: "c"
    case .blockDevice: "b"
    }
  }
}

extension TreeEntry {
  /// `0640`.
  fileprivate var permissionsText: String {
    let digits = String(permissions, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// `-rw-r-----`, as ls(1) has it.
  fileprivate var modeText: String {
    let letters: [(UInt32, Character)] = [
      (0o400, "r"), (0o200, "w"), (0o100, "x"), (0o040, "r"), (0o020, "w"), (0o010, "x"),
      (0o004, "r"), (0o002, "w"), (0o001, "x"),
    ]
    var text = letters.map { permissions & $0.0 == 0 ? "-" : $0.1 }
    for (bit, place, letter) in [(0o4000, 2, "s"), (0o2000, 5, "s"), (0o1000, 8, "t")]
      as [(UInt32, Int, Character)]
    where permissions & bit != 0 {
      text[place] = text[place] == "x" ? letter : Character(letter.uppercased())
    }
    return kind.letter + String(text)
  }
}
