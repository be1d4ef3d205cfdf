import DTMCommands
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Repositories that format 1's first version wrote (Tests/Compatibility), one of them collected, are read
/// as they were meant, and written on.
@Suite struct `A repository of format 1` {
  static let names = ["version1", "version1-collected"]

  private static func source(_ name: String) -> FilePath {
    let folder = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
    return FilePath(folder).appending("Compatibility/\(name)")
  }

  private func bytes(_ path: FilePath) throws -> [UInt8] {
    try Descriptor.open(path, .readOnly).readToEnd()
  }

  /// Copies the repository into the data folder, with the directories that a checkout has no names for.
  private func install(_ name: String, _ fixture: CommandFixture) throws {
    try fixture.makeDirectory("lake/.dtm")
    for name in ["packs", "live", "refs", "index", "state", "journal", "trash", "locks"] {
      try fixture.makeDirectory("lake/.dtm/\(name)")
    }
    let from = try SystemFileOperations(path: Self.source(name).appending("repository"))
    let to = try SystemFileOperations(path: fixture.lake.appending(".dtm"))
    for directory in ["", "live/", "packs/", "refs/"] {
      // A checkout has no empty directories.
      let names = try? from.list(directory.isEmpty ? "" : String(directory.dropLast()))
      for name in names ?? [] where name.contains(".") {
        let file = try from.open(directory + name, writable: false)
        try to.create(directory + name, mode: 0o600)
          .write(try file.read(at: 0, count: try file.size()), at: 0)
      }
    }
  }

  private func expected(_ name: String) throws -> [(id: String, entries: [String: JSONNode])] {
    let document = try JSONNode(parsing: bytes(Self.source(name).appending("expected.json")))
    return try #require(document.array).map { node in
      guard case .object(let members)? = node["entries"]?.value else {
        throw Errno.invalidArgument
      }
      let entries = Dictionary(
        members.map { ($0.key, $0.node) }, uniquingKeysWith: { first, _ in first })
      return (try #require(node["id"]?.string), entries)
    }
  }

  @Test(arguments: names) func `is sound, and has its snapshots, tags and branches`(_ name: String)
    throws
  {
    try withFixture { fixture in
      try install(name, fixture)
      try fixture.good("verify", "--all", "--read-data")
      let ids = try fixture.good("log", "--json").json().array?.compactMap { $0["id"]?.string }
      #expect(try ids == expected(name).map(\.id).reversed())
      let tags = try fixture.good("tag", "--json").json().array
      #expect(try tags?.first?["snapshot"]?.string == expected(name)[name == "version1" ? 1 : 0].id)
      let branches = try fixture.good("branch", "--json").json().array
      #expect(branches?.compactMap { $0["name"]?.string } == ["main", "side"])
    }
  }

  @Test(arguments: names) func `gives every path back as it was`(_ name: String) throws {
    try withFixture { fixture in
      try install(name, fixture)
      for snapshot in try expected(name) {
        let listed = try fixture.good("ls", snapshot.id, "-R", "--json").json().array ?? []
        let found = Dictionary(
          listed.map { ($0["path"]?.string ?? "", $0) }, uniquingKeysWith: { first, _ in first })
        #expect(found.keys.sorted() == snapshot.entries.keys.sorted())
        let out = fixture.root.appending(String(snapshot.id.prefix(8)))
        try fixture.good("restore", "--at", snapshot.id, "--to", out.string)
        for (path, entry) in snapshot.entries {
          #expect(found[path]?["kind"]?.string == entry["kind"]?.string, "\(path)")
          guard entry["kind"]?.string == "file" else { continue }
          let restored = out.appending(FilePath(path).components)
          let content = try bytes(restored)
          #expect(content.count == entry["size"]?.int)
          // Of one chunk the id is what sha256sum prints; each restored byte was checked.
          if let id = found[path]?["id"]?.string {
            #expect(id == entry["sha256"]?.string, "\(path)")
          }
          let status = try Descriptor.open(restored, .readOnly).status()
          #expect(Int(status.permissions) == entry["mode"]?.int, "\(path)")
          let nanoseconds =
            Int(status.modified.seconds) * 1_000_000_000 + Int(status.modified.nanoseconds)
          #expect(nanoseconds == entry["mtime"]?.int, "\(path)")
        }
      }
    }
  }

  @Test(arguments: names) func `is written on, and repaired`(_ name: String) throws {
    try withFixture { fixture in
      try install(name, fixture)
      try fixture.write("new", "new")
      let id = try fixture.snapshot()
      try fixture.good("verify", "--all", "--read-data")
      try fixture.good("repair")
      #expect(try fixture.good("log", "--json").json().array?.first?["id"]?.string == id)
    }
  }
}
