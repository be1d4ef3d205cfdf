internal import DTMSystem

/// Copies what is needed of packs into new ones, packed harder.
///
/// The new packs are sealed, and nobody refers to them: what is in them is in the old ones too.
final class PackRewriter {
  private let repository: Repository
  /// As many as there are processors in a small machine.
  private static let threads = 2
  private let press: FramePress
  /// Where the frames go that the press holds, oldest first.
  private var pressed: [PackKind] = []
  private var builders: [FrameGroup: FrameBuilder] = [:]
  private var writers: [PackKind: LivePackWriter] = [:]
  private(set) var sealed: [PackFile] = []

  /// `level`: zstd's.
  init(_ repository: Repository, level: Int) {
    self.repository = repository
    press = FramePress(level: level, threads: Self.threads)
    for group in FrameGroup.allCases { builders[group] = FrameBuilder(group.pack) }
  }

  /// Copies the marked objects of a pack. Throws `.corrupt` where one of them can't be read: then the old
  /// pack has to stay.
  func copy(_ pack: PackFile, _ needed: LiveObjects) throws(RepositoryError) {
    try pack.forEachFrame { offset, header throws(RepositoryError) in
      let rows = header.rows.map { row in
        needed.isMarked(ObjectName(id: row.id, kind: row.kind), at: offset, in: pack)
      }
      guard rows.contains(true) else { return }
      let frame = try pack.frame(at: offset, repository.zstd)
      var start = 0
      for (row, isNeeded) in zip(header.rows, rows) {
        defer { start += row.length }
        if !isNeeded { continue }
        let bytes = frame.raw.span.extracting(start..<(start + row.length))
        guard Digest.id(row.kind, bytes) == row.id else {
          throw RepositoryError(
            .corrupt, "\(pack.name): \(row.kind) \(row.id) has another digest", file: pack.name,
            object: row.id)
        }
        try append(row, bytes, to: pack.kind)
      }
    }
  }

  private func append(
    _ row: FrameHeader.Row, _ bytes: Span<UInt8>, to kind: PackKind
  ) throws(RepositoryError) {
    let group = FrameGroup(kind, bytes)
    if builders[group]?.isFull(for: bytes.count) ?? false { try flush(group) }
    builders[group]?.append(row.kind, row.id, bytes)
  }

  private func flush(_ group: FrameGroup) throws(RepositoryError) {
    guard let builder = builders[group], !builder.isEmpty else { return }
    press.submit(builder, repository.zstd)
    pressed.append(group.pack)
    builders[group] = FrameBuilder(group.pack)
    // One more than there are threads waits, so that none of them does.
    if press.count > Self.threads { try writeOldest() }
  }

  /// Waits for the oldest frame in the press, and appends it to its pack.
  private func writeOldest() throws(RepositoryError) {
    let kind = pressed.removeFirst()
    let frame: FramePress.Frame?
    do throws(RepositoryError) { frame = try press.next() } catch {
      // Not `.corrupt`, which says of one old pack that it has to stay: this frame may hold objects of
      // several.
      throw RepositoryError(.inputOutput, "packs can't be written anew: \(error.message)")
    }
    guard let (header, bytes) = frame else { return }
    let writer = try writer(kind)
    _ = try writer.append(header, bytes)
    let limits = repository.packLimits
    if writer.length >= limits.bytes(kind) || writer.count >= limits.objects { try seal(kind) }
  }

  /// Seals all that was begun; after return everything that was copied is durable.
  func finish() throws(RepositoryError) {
    for group in FrameGroup.allCases { try flush(group) }
    while press.count > 0 { try writeOldest() }
    for kind in PackKind.allCases where writers[kind] != nil { try seal(kind) }
  }

  private func seal(_ kind: PackKind) throws(RepositoryError) {
    guard let writer = writers.removeValue(forKey: kind) else { return }
    _ = try writer.seal()
    sealed.append(try PackFile(sealed: writer.id, kind, files: repository.files))
  }

  private func writer(_ kind: PackKind) throws(RepositoryError) -> LivePackWriter {
    if let writer = writers[kind] { return writer }
    let writer = try LivePackWriter.create(
      kind, format: repository.format.encoded, files: repository.files)
    writers[kind] = writer
    return writer
  }
}
