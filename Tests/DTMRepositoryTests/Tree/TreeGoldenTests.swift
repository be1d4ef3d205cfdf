import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

/// Encodings against those of an independent implementation (Tests/Compatibility/fixture.py).
@Suite struct TreeGoldenTests {
  private let golden: Golden
  private let objects = MemoryObjects()

  init() throws { golden = try Golden() }

  private func random(_ seed: UInt64, _ count: Int) -> [UInt8] {
    var random = XorShift(seed: seed)
    return random.bytes(count)
  }

  private func entry(
    _ key: String, _ kind: FileKind, _ permissions: UInt32 = 0o644, _ content: Content = .none,
    size: Int = 0
  ) -> TreeEntry {
    TreeEntry(
      key: PathKey(bytes: Array(key.utf8)), kind: kind, permissions: permissions,
      owner: Owner(id: 1000, name: Array("ann".utf8)),
      group: Owner(id: 100, name: Array("users".utf8)),
      modified: FileTime(seconds: 1_700_000_000, nanoseconds: 0), size: UInt64(size),
      content: content)
  }

  private func inline(_ key: String, _ bytes: [UInt8]) -> TreeEntry {
    entry(key, .file, 0o644, .inline(bytes), size: bytes.count)
  }

  private func root(_ entries: [TreeEntry]) throws -> String {
    var builder = TreeBuilder(writer: objects)
    for entry in entries { try builder.append(entry) }
    return try builder.finish().root.hex
  }

  @Test func `border hashes are those of the other implementation`() throws {
    let cases = try #require(golden["borders"].array)
    #expect(cases.count >= 7)
    for node in cases {
      let key = try #require(Hex.bytes(node["key"]?.string ?? "-"))
      let hash = PageBorder.hash(
        level: UInt8(node["level"]?.int ?? 0), key, from: 0, to: key.count)
      let expected = node["hash"]?.string ?? ""
      #expect(hash == UInt64(expected, radix: 16))
    }
  }

  @Test func `a leaf page with all kinds of entries is the other implementation's`() throws {
    var entries = try kinds()
    let encoding = try golden.bytes("leafPage", "encoding")
    let id = try golden.id("leafPage", "id")
    #expect(try root(entries) == id.hex)
    #expect(try objects.read(id, .page) == encoding)
    #expect(try Tree(root: id, objects: objects).entries() == entries)
    entries[3].permissions = 0
    #expect(try root(entries) != id.hex)
  }

  private func kinds() throws -> [TreeEntry] {
    var hello = inline("a", Array("hello".utf8))
    hello.modified = FileTime(seconds: -1, nanoseconds: 999_999_999)
    let chunk = Digest.id(.chunk, random(1, 200))
    var setuid = entry("ab", .file, 0o4755, .chunk(chunk), size: 200)
    setuid.owner = Owner(id: 0, name: Array("root".utf8))
    setuid.group = Owner(id: 0)
    setuid.inodeFlags = 64
    var list = ByteWriter()
    list.u8(0)
    list.varint(3)
    list.varint(300 << 1)
    list.id(Digest.id(.chunk, random(2, 300)))
    list.varint(8192 << 1 | 1)
    list.varint(100 << 1)
    list.id(Digest.id(.chunk, random(3, 100)))
    var sparse = entry(
      "e", .file, 0o644, .list(Digest.id(.list, list.bytes)), size: 300 + 8192 + 100)
    sparse.isSparse = true
    sparse.isHot = true
    let attributes = try golden.bytes("attributes")
    var linked = inline("f", [])
    linked.attributes = .inline(attributes)
    linked.linkGroup = linked.key
    var other = linked
    other.key = PathKey("g")!
    var long = ByteWriter()
    long.varint(1)
    long.string("user.long")
    long.counted([UInt8](repeating: UInt8(ascii: "v"), count: 200))
    var withObject = inline("h", [])
    withObject.attributes = .object(Digest.id(.chunk, long.bytes))
    return [
      entry("", .directory, 0o755), hello, setuid,
      entry("b", .symlink, 0o777, .target(Array("a".utf8)), size: 1), entry("c", .fifo, 0o600),
      entry("d", .characterDevice, 0o666, .device(major: 1, minor: 300)), sparse, linked, other,
      withObject,
    ]
  }

  @Test func `an inner page of the other implementation is read`() throws {
    let encoding = try golden.bytes("innerPage", "encoding")
    let id = try objects.write(.page, encoding)
    #expect(try id == golden.id("innerPage", "id"))
    var used: [ObjectID] = []
    let defects = try Tree(root: id, objects: objects).check { id, _ throws(RepositoryError) in
      used.append(id)
    }
    // Its children are not there: nothing else is wrong.
    #expect(used.count == 4)
    #expect(defects.map(\.error.code) == [.notFound, .notFound, .notFound])
    #expect(defects.map(\.key) == ["", "k/one", "k/two"].map { PathKey($0)! })
  }

  @Test func `the empty tree, a wide one and one with long keys have the other's roots`() throws {
    #expect(try Tree.empty(objects).root.hex == golden["emptyTree", "id"].string)
    #expect(try root([]) == golden["emptyTree", "id"].string)

    func digits(_ number: Int, _ count: Int) -> String {
      let text = String(number)
      return String(repeating: "0", count: count - text.count) + text
    }
    var wide = [entry("", .directory, 0o755)]
    for index in 0..<12_000 {
      let directory = "d" + digits(index / 40, 3)
      if index % 40 == 0 { wide.append(entry(directory, .directory, 0o755)) }
      var content = ByteWriter()
      content.u32(UInt32(index))
      var file = inline(directory + "\0f" + digits(index % 40, 2), content.bytes)
      file.modified.nanoseconds = UInt32(index)
      wide.append(file)
    }
    #expect(try wide.count == golden["wideTree", "entries"].int)
    #expect(try root(wide) == golden["wideTree", "root"].string)

    var long = [entry("", .directory, 0o755)]
    var path = ""
    for depth in 0..<40 {
      path += (path.isEmpty ? "" : "\0") + digits(depth, 3) + String(repeating: "d", count: 247)
      long.append(entry(path, .directory, 0o755))
      for number in 0..<9 {
        let name = digits(number, 3) + String(repeating: "a", count: 247)
        long.append(inline(path + "\0" + name, []))
      }
    }
    long.sort { $0.key < $1.key }
    #expect(try long.count == golden["longKeysTree", "entries"].int)
    #expect(try root(long) == golden["longKeysTree", "root"].string)
  }
}
