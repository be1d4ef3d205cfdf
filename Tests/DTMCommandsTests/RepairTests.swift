import DTMCommands
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// verify, repair, and everything else on a repository that is damaged.
@Suite struct `A damaged repository` {
  /// Files with what does not compress, so that each has bytes of its own in the packs.
  private func makeFiles(_ fixture: CommandFixture, from first: Int = 0) throws {
    for number in first..<(first + 6) { try fixture.write("f\(number)", text(number)) }
  }

  private func text(_ number: Int) -> String {
    var generator = SplitMix(seed: UInt64(number + 1))
    return (0..<600).map { _ in String(generator.next(), radix: 36) }.joined(separator: "\n")
  }

  private func files(_ fixture: CommandFixture) throws -> SystemFileOperations {
    try SystemFileOperations(path: fixture.lake.appending(".dtm"))
  }

  private func names(_ fixture: CommandFixture, _ directory: String, _ suffix: String) throws
    -> [String]
  {
    try files(fixture).list(directory).filter { $0.hasSuffix(suffix) }.sorted()
      .map { "\(directory)/\($0)" }
  }

  /// Where the payload of the first frame begins, and how long it is.
  private func firstPayload(_ bytes: [UInt8]) -> (start: Int, length: Int) {
    func number(_ at: Int) -> Int { (0..<4).reduce(0) { $0 | Int(bytes[at + $1]) << (8 * $1) } }
    let frame = number(8)
    return (frame + 36 + 37 * number(frame + 8), number(frame + 16))
  }

  private func change(
    _ fixture: CommandFixture, _ name: String, _ body: (inout [UInt8]) -> Void
  ) throws {
    let path = fixture.lake.appending(".dtm").appending(FilePath(name).components)
    let file = try Descriptor.open(path, .readWrite)
    var bytes = try file.read(at: 0, count: 1 << 26)
    body(&bytes)
    try file.truncate(to: 0)
    try file.write(bytes, at: 0)
  }

  /// Flips a bit in the first frame's payload.
  private func flip(_ fixture: CommandFixture, _ suffix: String) throws {
    let name = try #require(names(fixture, "live", suffix).first)
    try change(fixture, name) { bytes in
      let (start, length) = firstPayload(bytes)
      bytes[start + length / 2] ^= 0x10
    }
  }

  /// Leaves nothing of the first frame's payload.
  private func wreck(_ fixture: CommandFixture, _ suffix: String) throws {
    let name = try #require(names(fixture, "live", suffix).first)
    try change(fixture, name) { bytes in
      let (start, length) = firstPayload(bytes)
      for at in start..<(start + length) { bytes[at] = 0xFF }
    }
  }

  private func out(_ fixture: CommandFixture) -> String { fixture.root.appending("out").string }

  private func strings(_ node: JSONNode, _ key: String) -> [String] {
    (node[key]?.array ?? []).compactMap(\.string)
  }

  private func lostPaths(_ node: JSONNode) -> [String] {
    (node["lostPaths"]?.array ?? []).compactMap { $0["path"]?.string }
  }

  @Test func `that is not damaged is said to be sound, and goes on`() throws {
    try withFixture { fixture in
      try makeFiles(fixture)
      try fixture.good("init")
      let outcome = try fixture.good("repair")
      #expect(outcome.output == "sound: nothing was damaged\n")
      #expect(try fixture.good("repair", "--json").json()["ok"]?.bool == true)
      #expect(try names(fixture, "trash", "").isEmpty)
      try fixture.write("new", "n")
      try fixture.snapshot()
      try fixture.good("verify", "--all", "--read-data")
    }
  }

  @Test func `is healed from the folder where the content still stands`() throws {
    try withFixture { fixture in
      try makeFiles(fixture)
      try fixture.good("init")
      try fixture.snapshot()
      try flip(fixture, ".data")
      let verified = fixture.dtm("verify", "--all", "--read-data")
      #expect(verified.status == .damaged)
      #expect(verified.output.contains("dtm repair"))
      let dry = try fixture.good("repair", "--dry-run", "--json").json()
      #expect(try names(fixture, "trash", "").isEmpty)
      #expect(fixture.dtm("verify", "--all", "--read-data").output == verified.output)
      let done = try fixture.good("repair", "--json").json()
      #expect(strings(done, "healed").count >= 1)
      #expect(strings(dry, "healed") == strings(done, "healed"))
      #expect(dry["setAside"]?.array?.count == done["setAside"]?.array?.count)
      #expect(dry["dryRun"]?.bool == true && done["dryRun"]?.bool == false)
      #expect(try names(fixture, "trash", ".data").count == 1)
      try fixture.good("verify", "--all", "--read-data")
      try fixture.good("repair")
    }
  }

  @Test func `loses what stands nowhere else, and says so by snapshot and path`() throws {
    try withFixture { fixture in
      try makeFiles(fixture)
      try fixture.good("init")
      let old = try fixture.snapshot()
      for number in 0..<6 { try fixture.write("f\(number)", "short") }
      let new = try fixture.snapshot()
      try flip(fixture, ".data")
      let repaired = fixture.dtm("repair", "--json")
      #expect(repaired.status == .damaged)
      let found = try repaired.json()
      let lost = lostPaths(found)
      #expect(lost.count == 1, "one of six chunks, each by itself in the frame: \(lost)")
      let ids = (found["lostPaths"]?.array ?? []).flatMap { strings($0, "snapshots") }
      #expect(ids.contains(old) && !ids.contains(new))
      // Again: nothing new, and it is still lost.
      #expect(lostPaths(try fixture.dtm("repair", "--json").json()) == lost)
      let verified = fixture.dtm("verify", "--all", "--json")
      #expect(verified.status == .damaged)
      let damage = try verified.json()["damage"]?.array ?? []
      #expect(damage.allSatisfy { $0["object"]?.string != nil && $0["pack"]?.string == "" })
      #expect(damage.flatMap { strings($0, "paths") } == lost)
      #expect(fixture.dtm("verify").status == .done, "HEAD needs none of it")
      // All others come back.
      let restored = fixture.dtm("restore", "--at", old, "--json")
      #expect(restored.status == .damaged)
      #expect(strings(try restored.json(), "damaged") == lost)
      for number in 0..<6 {
        let name = "f\(number)"
        #expect(try fixture.read(name) == (lost.contains(name) ? "short" : text(number)))
      }
      let words = fixture.dtm("restore", "--at", old, "--to", out(fixture))
      #expect(words.status == .damaged)
      #expect(words.output.contains(lost[0]) && words.output.contains("damaged"))
      #expect(fixture.dtm("cat", old, lost[0]).status == .damaged)
      try fixture.good("log", "--all")
      try fixture.snapshot()
    }
  }

  @Test func `is written again by a snapshot that reads everything`() throws {
    try withFixture { fixture in
      try makeFiles(fixture)
      try fixture.good("init")
      try flip(fixture, ".data")
      // Nothing has changed, so nothing is read; --full reads, and relies on nothing unseen.
      try fixture.snapshot("--full")
      let verified = fixture.dtm("verify", "--all", "--read-data", "--json")
      #expect(verified.status == .damaged)
      let damage = try verified.json()["damage"]?.array ?? []
      #expect(damage.allSatisfy { $0["object"]?.string == nil }, "only the frame is damaged")
      #expect(fixture.dtm("restore", "--at", "HEAD", "--to", out(fixture)).status == .done)
    }
  }

  @Test func `gets its trees back where the folder is as it was`() throws {
    try withFixture { fixture in
      for number in 0..<300 { try fixture.write("n\(number)", "\(number)") }
      try fixture.good("init")
      let second = try fixture.snapshot()
      // The first frame has the tree, and the first snapshot with it.
      try wreck(fixture, ".meta")
      #expect(fixture.dtm("ls").status == .damaged)
      let repaired = fixture.dtm("repair", "--json")
      #expect(repaired.status == .damaged, "the first snapshot is lost")
      let found = try repaired.json()
      #expect(strings(found, "lostSnapshots").count == 1)
      #expect(lostPaths(found).isEmpty)
      #expect(!strings(found, "healed").isEmpty)
      #expect(fixture.dtm("verify", second, "--read-data").status == .done)
      #expect(try fixture.good("log", "--json").json().array?.count == 1)
      #expect(fixture.dtm("restore", "--at", second, "--to", out(fixture)).status == .done)
    }
  }

  @Test func `takes snapshots though the newest tree is lost`() throws {
    try withFixture { fixture in
      for number in 0..<300 { try fixture.write("n\(number)", "\(number)") }
      try fixture.good("init")
      try fixture.snapshot()
      try wreck(fixture, ".meta")
      try fixture.write("n7", "changed")
      let id = try fixture.snapshot("--rescan")
      #expect(fixture.dtm("restore", "--at", id, "--to", out(fixture)).status == .done)
      #expect(fixture.dtm("verify", id).status == .done, "what it needs was stored again")
      #expect(fixture.dtm("repair").status == .damaged)
      #expect(fixture.dtm("verify", id, "--read-data").status == .done)
    }
  }

  @Test func `whose ref log is lost gets its branches from the packs`() throws {
    try withFixture { fixture in
      try makeFiles(fixture)
      try fixture.good("init")
      let first = try fixture.snapshot("-m", "one")
      try fixture.write("more", "more")
      let second = try fixture.snapshot("-m", "two")
      try fixture.good("tag", "v1", first)
      for name in try names(fixture, "refs", "") { try change(fixture, name) { $0 = [] } }
      let log = fixture.dtm("log", "--json")
      #expect(log.status == .damaged)
      #expect(try log.error()["hint"]?.string?.contains("dtm repair") == true)
      #expect(fixture.dtm("init").status == .damaged)
      let repaired = fixture.dtm("repair")
      #expect(repaired.status == .done, "\(repaired.output)\(repaired.errors)")
      #expect(repaired.output.contains("tags"))
      let listed = try fixture.good("log", "--json").json().array ?? []
      let ids = listed.compactMap { $0["id"]?.string }
      #expect(ids.count == 3 && ids[0] == second && ids[1] == first)
      try fixture.good("verify", "--all", "--read-data")
      let third = try fixture.snapshot()
      #expect(try fixture.good("log", "--json").json().array?[0]["id"]?.string == third)
    }
  }

  @Test func `without format json is no place for a new one, and is repaired`() throws {
    try withFixture { fixture in
      try makeFiles(fixture)
      try fixture.good("init")
      try files(fixture).remove("format.json")
      #expect(fixture.dtm("log").status == .damaged)
      #expect(fixture.dtm("init").status == .damaged)
      try fixture.good("repair")
      #expect(try fixture.good("log", "--json").json().array?.count == 1)
      try fixture.good("verify", "--all", "--read-data")
    }
  }

  @Test func `is not repaired while somebody else writes`() throws {
    try withFixture { fixture in
      try fixture.good("init")
      let lock = try files(fixture).open("locks/capture", writable: true)
      try #require(try lock.lock(.exclusive, wait: false))
      let outcome = fixture.dtm("repair", "--json")
      #expect(outcome.status == .busy)
      #expect(try outcome.error()["code"]?.string == "busy")
      withExtendedLifetime(lock) {}
    }
  }

  @Test func `of a folder that is gone is repaired without it`() throws {
    try withFixture { fixture in
      let elsewhere = fixture.root.appending("elsewhere").string
      try makeFiles(fixture)
      try fixture.good("init", "--repository", elsewhere)
      let repaired = fixture.dtm("repair")
      #expect(repaired.status == .done, "\(repaired.errors)")
    }
  }

  @Test func `of a format that is not known is left alone`() throws {
    try withFixture { fixture in
      try makeFiles(fixture)
      try fixture.good("init")
      func plant(_ old: String, _ new: String) throws {
        try change(fixture, "format.json") {
          $0 = Array(String(decoding: $0, as: UTF8.self).replacing(old, with: new).utf8)
        }
      }
      try plant("\"write\":[]", "\"write\":[\"sharing\"]")
      try fixture.good("log")
      for command in ["snapshot", "repair"] {
        let outcome = fixture.dtm(command)
        #expect(outcome.status == .configuration)
        #expect(outcome.errors.contains("sharing") && outcome.errors.contains("newer version"))
      }
      try plant("\"read\":[]", "\"read\":[\"encryption\"]")
      for command in ["log", "snapshot", "verify", "repair"] {
        let outcome = fixture.dtm(command)
        #expect(outcome.status == .configuration)
        #expect(outcome.errors.contains("encryption"), "\(outcome.errors)")
      }
      try plant("\"version\":1", "\"version\":7")
      #expect(fixture.dtm("log").errors.contains("format 7"))
    }
  }
}
