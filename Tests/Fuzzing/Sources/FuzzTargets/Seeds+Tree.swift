@testable internal import DTMRepository
internal import DTMSystem

/// The objects of a tree, and a snapshot.
extension Seeds {
  static let entries: [TreeEntry] = {
    func entry(
      _ path: String, _ kind: FileKind, _ size: UInt64 = 0, _ content: Content = .none
    ) -> TreeEntry {
      TreeEntry(
        key: PathKey(path) ?? .root, kind: kind, permissions: 0o644,
        owner: Owner(id: 1000, name: Array("ann".utf8)), group: Owner(id: 100),
        modified: FileTime(seconds: -5, nanoseconds: 7), size: size, content: content)
    }
    var plain = entry("a/one", .file, 3, .inline([1, 2, 3]))
    plain.attributes = .inline([9, 9])
    plain.linkGroup = PathKey("a/one")
    var large = entry("a/two", .file, 1 << 33, .list(id))
    large.owner = Owner(id: 0, name: Array("root".utf8))
    large.inodeFlags = 16
    large.isSparse = true
    large.isHot = true
    large.attributes = .object(id)
    return [
      entry("", .directory), entry("a", .directory), plain, large,
      entry("b", .symlink, 5, .target(Array("a/one".utf8))),
      entry("c", .characterDevice, 0, .device(major: 1, minor: 3)), entry("d", .fifo),
      entry("e", .file, 5000, .chunk(id)),
    ]
  }()

  static var leafPage: [UInt8] {
    var writer = LeafPageWriter()
    for entry in entries { _ = try? writer.append(entry) }
    return writer.encoding()
  }

  static var innerPage: [UInt8] {
    var writer = InnerPageWriter(level: 1)
    for (key, count) in [("", 33), ("a\0b", 512), ("a\0c", 40)] {
      _ = try? writer.append(
        Child(key: Array(key.utf8), id: id, entries: count, fileBytes: 1 << 40))
    }
    return writer.encoding()
  }

  static let snapshot: Snapshot = {
    var snapshot = Snapshot(
      tree: id, parent: id, branch: "main", time: Timestamp(seconds: 1_700_000_000, nanoseconds: 5),
      trigger: "quiet", basis: .events, folder: folder)
    snapshot.message = "after import"
    snapshot.rules = ["quiet 2s"]
    snapshot.labels = ["job": "42", "stage": "raw"]
    snapshot.host = "host"
    snapshot.user = "ann"
    snapshot.counts.files = 3
    snapshot.counts.added = 300
    snapshot.counts.proven = 1
    snapshot.problems = [.init(key: entries[2].key, kind: .changing, detail: "never the same")]
    snapshot.baseClock = "c:1"
    snapshot.endClock = "c:2"
    snapshot.uncovered = [entries[1].key]
    snapshot.hot = [entries[3].key]
    snapshot.writerVersion = "1.0"
    return snapshot
  }()
}
