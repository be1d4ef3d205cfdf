package import DTMRepository
package import DTMSystem

/// What an archive was made of.
package struct ExportOutcome: Sendable {
  /// Members of the archive.
  package var entries = 0
  package var files = 0
  /// Bytes of the files, holes and further names counted.
  package var bytes = 0
  /// What an archive has no form for, in key order.
  package var problems: [Snapshot.Problem] = []
}

/// Writes a snapshot's tree, or a part of it, as a pax archive that GNU tar reads back as it was:
/// times, owners, attributes, access control lists, capabilities, hard links and holes.
package struct TreeExport {
  /// GNU tar writes whole records of so many bytes.
  private static let recordLength = 10_240

  private let tree: Tree
  private let objects: any ObjectReader
  private let content: ContentReader
  private let progress: WorkProgress
  private let sink: ([UInt8]) throws(FolderError) -> Void
  private var outcome = ExportOutcome()
  private var length = 0
  /// The first name of each link group that was written.
  private var firstNames: [PathKey: PathKey] = [:]

  /// `sink`: takes the archive's bytes in order.
  package init(
    _ tree: Tree, _ objects: any ObjectReader, progress: WorkProgress = WorkProgress(),
    to sink: @escaping ([UInt8]) throws(FolderError) -> Void
  ) {
    self.tree = tree
    self.objects = objects
    content = ContentReader(objects)
    self.progress = progress
    self.sink = sink
  }

  /// Writes paths with all beneath them, none for the whole tree, and the archive's end.
  ///
  /// Throws `.notFound` for a path that the tree does not have, `.corrupt` for damaged content.
  package mutating func write(_ paths: [PathKey]) throws(FolderError) -> ExportOutcome {
    // What is beneath another path comes with it.
    let sorted = Set(paths.isEmpty ? [.root] : paths).sorted()
    for path in sorted where !sorted.contains(where: { path.isBeneath($0) }) {
      try write(path)
    }
    try put([UInt8](repeating: 0, count: 2 * TarHeader.blockLength))
    let short = length % Self.recordLength
    if short > 0 { try put([UInt8](repeating: 0, count: Self.recordLength - short)) }
    return outcome
  }

  private mutating func write(_ path: PathKey) throws(FolderError) {
    let entry = try onRepository { [tree] () throws(RepositoryError) in try tree.entry(path) }
    guard let entry else {
      // The tree of an empty folder has no entry for it.
      if path.isRoot { return }
      throw FolderError(
        .notFound, "the snapshot has no \(Quoting.path(path.path))", path: path)
    }
    try write(entry)
    guard entry.kind == .directory else { return }
    var failure: FolderError?
    var copy = self
    try onRepository { [tree] () throws(RepositoryError) in
      try tree.forEach(beneath: path) { inner in
        if inner.key == path { return true }
        do throws(FolderError) {
          try copy.write(inner)
          return true
        } catch {
          failure = error
          return false
        }
      }
    }
    self = copy
    if let failure { throw failure }
  }

  // MARK: - Entries

  private mutating func write(_ entry: TreeEntry) throws(FolderError) {
    if entry.kind == .socket {
      outcome.problems.append(
        Snapshot.Problem(
          key: entry.key, kind: .unsupported, detail: "an archive has no form for a socket"))
      return
    }
    var header = TarHeader(.file)
    var records = PaxRecords()
    header.mode = entry.permissions
    header.uid = entry.owner.id
    header.gid = entry.group.id
    header.user = entry.owner.name
    header.group = entry.group.name
    header.seconds = entry.modified.seconds
    header.name = Self.name(entry)
    if header.name.count > TarHeader.nameLimit { records.add("path", header.name) }
    if header.user.count > TarHeader.ownerLimit { records.add("uname", header.user) }
    if header.group.count > TarHeader.ownerLimit { records.add("gname", header.group) }
    if entry.owner.id > 0o7777777 { records.add("uid", String(entry.owner.id)) }
    if entry.group.id > 0o7777777 { records.add("gid", String(entry.group.id)) }
    if entry.modified.nanoseconds != 0 || entry.modified.seconds < 0
      || entry.modified.seconds > 0o77777777777
    {
      records.add("mtime", PaxRecords.text(entry.modified))
      header.seconds = min(max(0, entry.modified.seconds), 0o77777777777)
    }
    outcome.entries += 1
    if entry.kind == .file {
      outcome.files += 1
      outcome.bytes += Int(clamping: entry.size)
    }
    progress.add(entries: 1, bytes: Int(clamping: entry.size))
    if let group = entry.linkGroup {
      if let first = firstNames[group] {
        header.kind = .link
        header.target = first.path
        if header.target.count > TarHeader.nameLimit { records.add("linkpath", header.target) }
        return try put(header, records)
      }
      firstNames[group] = entry.key
    }
    try addAttributes(of: entry, &records)
    switch entry.content {
    case .target(let target):
      header.kind = .symlink
      header.target = target
      if target.count > TarHeader.nameLimit { records.add("linkpath", target) }
    case .device(let major, let minor):
      header.kind = entry.kind == .blockDevice ? .blockDevice : .characterDevice
      (header.major, header.minor) = (major, minor)
    case .none:
      header.kind = entry.kind == .directory ? .directory : .fifo
    case .inline, .chunk, .list:
      return try writeFile(entry, header, records)
    }
    try put(header, records)
  }

  private static func name(_ entry: TreeEntry) -> [UInt8] {
    if entry.key.isRoot { return Array("./".utf8) }
    return entry.kind == .directory ? entry.key.path + [UInt8(ascii: "/")] : entry.key.path
  }

  private func addAttributes(
    of entry: TreeEntry, _ records: inout PaxRecords
  ) throws(FolderError) {
    for attribute in try entry.attributes.decoded(objects) {
      let list =
        switch attribute.name {
        case MetadataWriter.accessList: TarKey.accessList
        case MetadataWriter.defaultList: TarKey.defaultList
        default: ""
        }
      if !list.isEmpty, let text = AccessListText.text(attribute.value) {
        records.add(list, text)
      } else {
        records.add(Array(TarKey.attribute.utf8) + TarKey.escaped(attribute.name), attribute.value)
      }
    }
    let words = TarKey.flagWords.filter { entry.inodeFlags & $0.flag != 0 }.map(\.word)
    if !words.isEmpty { records.add(TarKey.flags, words.joined(separator: ",")) }
  }

  // MARK: - Files

  private mutating func writeFile(
    _ entry: TreeEntry, _ first: TarHeader, _ before: PaxRecords
  ) throws(FolderError) {
    var (header, records) = (first, before)
    var map: [UInt8] = []
    header.size = entry.size
    if entry.isSparse {
      let runs = try runs(of: entry)
      let name = header.name
      records.add(TarKey.sparse + "major", "1")
      records.add(TarKey.sparse + "minor", "0")
      records.add(TarKey.sparse + "name", name)
      records.add(TarKey.sparse + "realsize", String(entry.size))
      map = Self.map(runs)
      header.name = Array("GNUSparseFile.0/".utf8) + entry.key.name
      header.size = UInt64(map.count + runs.reduce(0) { $0 + $1.length })
    }
    if header.size > 0o77777777777 { records.add("size", String(header.size)) }
    try put(header, records)
    try put(map)
    var written = map.count
    var failure: FolderError?
    var copy = self
    try onRepository(Quoting.path(entry.key.path)) { [content] () throws(RepositoryError) in
      try content.forEachRun(of: entry.content, size: entry.size) { _, bytes in
        if failure != nil { return }
        written += bytes.count
        do throws(FolderError) { try copy.put(bytes) } catch { failure = error }
      }
    }
    self = copy
    if let failure { throw failure }
    let short = written % TarHeader.blockLength
    if short > 0 { try put([UInt8](repeating: 0, count: TarHeader.blockLength - short)) }
  }

  /// The runs of data, and one without length at the end where the file ends with a hole.
  private func runs(of entry: TreeEntry) throws(FolderError) -> [TarMember.Run] {
    var runs: [TarMember.Run] = []
    try onRepository(Quoting.path(entry.key.path)) { () throws(RepositoryError) in
      try content.forEachPart(of: entry.content, size: entry.size) { part in
        if case .hole = part.source { return }
        if let last = runs.last, last.offset + last.length == part.offset {
          runs[runs.count - 1] = TarMember.Run(
            offset: last.offset, length: last.length + part.length)
        } else {
          runs.append(TarMember.Run(offset: part.offset, length: part.length))
        }
      }
    }
    let end = runs.last.map { $0.offset + $0.length } ?? 0
    let size = Int(clamping: entry.size)
    if end < size { runs.append(TarMember.Run(offset: size, length: 0)) }
    return runs
  }

  /// Numbers, each on a line, filled up to a block.
  private static func map(_ runs: [TarMember.Run]) -> [UInt8] {
    let numbers = [runs.count] + runs.flatMap { [$0.offset, $0.length] }
    var bytes = numbers.flatMap { Array("\($0)\n".utf8) }
    let short = bytes.count % TarHeader.blockLength
    if short > 0 { bytes += [UInt8](repeating: 0, count: TarHeader.blockLength - short) }
    return bytes
  }

  // MARK: -

  private mutating func put(_ header: TarHeader, _ records: PaxRecords) throws(FolderError) {
    if !records.isEmpty {
      let bytes = records.encoded
      var extended = TarHeader(.extended)
      extended.name = Array(("PaxHeaders/".utf8) + header.name.prefix(80))
      extended.mode = 0o644
      extended.size = UInt64(bytes.count)
      extended.seconds = header.seconds
      try put(extended.encoded)
      try put(bytes)
      let short = bytes.count % TarHeader.blockLength
      if short > 0 { try put([UInt8](repeating: 0, count: TarHeader.blockLength - short)) }
    }
    try put(header.encoded)
  }

  private mutating func put(_ bytes: [UInt8]) throws(FolderError) {
    if bytes.isEmpty { return }
    length += bytes.count
    try sink(bytes)
  }
}
