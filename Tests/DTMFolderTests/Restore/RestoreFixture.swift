import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage

/// A folder with a repository beside it, both in one temporary directory.
struct RestoreFixture {
  let base: FilePath
  let folderPath: FilePath
  let repositoryPath: FilePath
  let id: PackID

  init(_ base: FilePath, inside: Bool = false) throws {
    self.base = base
    folderPath = base.appending("folder")
    repositoryPath = inside ? folderPath.appending(".dtm") : base.appending("repository")
    id = PackID.random()
    try Descriptor.makeDirectory(at: folderPath, mode: 0o755)
    try Descriptor.makeDirectory(at: repositoryPath, mode: 0o700)
    _ = try Repository.create(
      SystemFileOperations(path: repositoryPath),
      first: RecordDraft(kind: "init", summary: "init"), at: SystemTimeSource().now())
  }

  init(at base: FilePath, id: PackID) {
    self.base = base
    folderPath = base.appending("folder")
    repositoryPath = base.appending("repository")
    self.id = id
  }

  var location: FolderLocation {
    FolderLocation(folder: folderPath, repository: repositoryPath, folderID: id)
  }

  func open(ignoring: [String] = []) throws -> Folder {
    ProcessSignals.ignoreThoseOfFiles()
    return try Folder(
      at: folderPath, id: id, repository: try Repository(at: repositoryPath),
      repositoryPath: repositoryPath, ignoring: ignoring)
  }
}

extension Folder {
  /// A snapshot of all as it is.
  func take(_ message: String = "") throws -> KnownSnapshot {
    var request = SnapshotRequest(ChangeSet(basis: .scan), trigger: "manual")
    request.message = message
    request.ignoresHotLimit = true
    let outcome = try snapshot(request)
    guard let id = outcome.id, let snapshot = outcome.snapshot else { throw Errno.noData }
    return KnownSnapshot(id: id, snapshot: snapshot)
  }
}

/// Everything about one path that a restore has to bring back.
struct ScannedEntry: Equatable, CustomStringConvertible {
  var kind: FileKind?
  var permissions: UInt32 = 0
  var uid: UInt32 = 0
  var gid: UInt32 = 0
  var modified = FileTime(seconds: 0, nanoseconds: 0)
  var size: UInt64 = 0
  var content: [UInt8] = []
  /// The first of a file's names, where it has several here.
  var firstName = ""
  /// Whether blocks are fewer than the size needs.
  var isSparse = false
  var attributes: [ExtendedAttribute] = []

  var description: String {
    "\(kind.map { "\($0)" } ?? "?") \(String(permissions, radix: 8)) \(uid):\(gid) "
      + "\(modified.seconds).\(modified.nanoseconds) \(size) \(firstName)"
  }
}

/// Scans a directory with means of its own; `.dtm` at the top is left out.
func scan(_ path: FilePath) throws -> [String: ScannedEntry] {
  var result: [String: ScannedEntry] = [:]
  var firstNames: [UInt64: String] = [:]
  func visit(_ directory: borrowing Descriptor, _ prefix: String) throws {
    var names: [[UInt8]] = []
    try directory.forEachEntry { entry throws(Errno) in names.append(entry.name) }
    for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      if prefix.isEmpty && name == Array(".dtm".utf8) { continue }
      let key = prefix + Quoting.path(name)
      let status = try directory.status(of: name)
      var entry = ScannedEntry(kind: status.kind)
      entry.permissions = status.permissions
      entry.uid = status.uid
      entry.gid = status.gid
      entry.modified = status.modified
      if status.kind != .directory && status.links > 1 {
        if firstNames[status.inode] == nil { firstNames[status.inode] = key }
        entry.firstName = firstNames[status.inode] ?? ""
      }
      switch status.kind {
      case .file:
        entry.size = status.size
        let file = try directory.open(name, [.readOnly, .noFollow])
        entry.content = try file.readToEnd()
        entry.isSparse = status.blocks * 512 + 65536 < status.size
        entry.attributes = try file.extendedAttributes().readable
      case .symlink:
        entry.content = try directory.readLink(name)
      case .directory:
        let inner = try directory.open(name, [.readOnly, .directory, .noFollow])
        entry.attributes = try inner.extendedAttributes().readable
        try visit(inner, key + "/")
      default: break
      }
      result[key] = entry
    }
  }
  let root = try Descriptor.open(path, [.readOnly, .directory])
  let status = try root.status()
  var entry = ScannedEntry(kind: .directory)
  entry.permissions = status.permissions
  entry.modified = status.modified
  result[""] = entry
  try visit(root, "")
  return result
}

/// What differs between two scans, one line a path.
func differences(
  _ expected: [String: ScannedEntry], _ found: [String: ScannedEntry],
  ignoringDirectoryTimes: Bool = false
) -> [String] {
  var lines: [String] = []
  for key in Set(expected.keys).union(found.keys).sorted() {
    var wanted = expected[key]
    if ignoringDirectoryTimes, wanted?.kind == .directory, let time = found[key]?.modified {
      wanted?.modified = time
    }
    if wanted != found[key] {
      lines.append(
        "\(key): expected \(wanted.map(\.description) ?? "nothing"), "
          + "found \(found[key].map(\.description) ?? "nothing")")
    }
  }
  return lines
}

/// Runs a command line and returns its status and output.
func shell(_ command: String) -> (status: Int32, output: String) {
  guard let pipe = unsafe popen(command + " 2>&1", "r") else {
    return (-1, "popen: \(Errno.current)")
  }
  var bytes: [UInt8] = []
  while true {
    let byte = unsafe fgetc(pipe)
    if byte == EOF { break }
    bytes.append(UInt8(byte))
  }
  let status = unsafe pclose(pipe)
  let output = String(decoding: bytes, as: UTF8.self)
  return (status, status == -1 ? "pclose: \(Errno.current) after \(output)" : output)
}

func quoted(_ path: FilePath) -> String { "'" + path.string + "'" }

/// What `rsync` sees as different, apart from `.dtm`; nil where it is not installed.
func rsyncDifferences(_ from: FilePath, _ to: FilePath) -> String? {
  if shell("command -v rsync").status != 0 { return nil }
  return shell(
    "rsync -aHAXn --checksum --delete --itemize-changes --exclude=/.dtm "
      + "\(quoted(from))/ \(quoted(to))/"
  ).output
}
