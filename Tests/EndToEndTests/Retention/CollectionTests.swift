import DTMSystem
import DTMTestSupport
import Testing

@Suite(.needsPrograms) struct `Collecting what nobody needs` {
  private func noise(_ seed: Int, _ count: Int) -> [UInt8] {
    var generator = SplitMix(seed: UInt64(seed))
    return (0..<count).map { _ in UInt8(generator.below(256)) }
  }

  /// A folder with some snapshots, of a large file that changes and one that stays.
  private func history(_ work: Workspace, _ count: Int) throws -> [String] {
    try work.write("stays.bin", noise(1, 200_000))
    try work.good("init", "--no-first-snapshot")
    var ids: [String] = []
    for number in 0..<count {
      try work.write("changes.bin", noise(100 + number, 300_000))
      ids.append(try work.snapshot().id())
    }
    return ids
  }

  private func expectSound(_ work: Workspace) throws {
    let verified = try work.dtm("verify", "--all", "--read-data", "--json")
    #expect(verified.status == 0, "\(verified.text)\(verified.errorText)")
  }

  @Test func `what was pruned comes back until it is collected, and then is said to be gone`()
    throws
  {
    let work = try Workspace()
    let ids = try history(work, 6)
    try work.good("prune", "--keep-last", "2")
    // Within the time of grace nothing goes.
    let early = try work.good("gc", "--json").json()
    #expect(early["freedBytes"]?.int == 0)
    try work.good("undo")
    #expect(try work.log().count == 6)
    try work.good("prune", "--keep-last", "2")
    let report = try work.good("gc", "--now", "--json").json()
    #expect(try #require(report["freedBytes"]?.int) > 1_100_000)
    #expect(report["snapshots"]?.int == 2)
    #expect(report["waitingBytes"]?.int == 0)
    #expect(try work.log().map { try $0.id() } == [ids[5], ids[4]])
    #expect(try work.good("cat", ids[4], "changes.bin").output == noise(104, 300_000))
    try expectSound(work)
    let undone = try work.dtm("undo")
    #expect(undone.status == 66, "\(undone.text)\(undone.errorText)")
    #expect(undone.errorText.contains("collected"))
    for outcome in [
      try work.dtm("restore", "--at", ids[0]), try work.dtm("tag", "old", ids[0]),
      try work.dtm("pin", ids[1]),
    ] {
      #expect(outcome.status == 66, "\(outcome.text)\(outcome.errorText)")
    }
    try work.write("changes.bin", noise(100, 300_000))
    try work.good("snapshot")
    try expectSound(work)
    #expect(try work.good("gc", "--now").text.contains("nothing to free"))
  }

  @Test func `stats adds up, and says what the next prune frees`() throws {
    let work = try Workspace()
    _ = try history(work, 25)
    let stats = try work.good("stats", "--json").json()
    #expect(stats["snapshots"]?.int == 25)
    #expect(stats["files"]?.int == 2)
    #expect(stats["logicalBytes"]?.int == 25 * 500_000)
    let unique = try #require(stats["uniqueBytes"]?.int)
    #expect((7_700_000...7_800_000).contains(unique))
    let stored = try #require(stats["storedBytes"]?.int)
    #expect(stored > unique * 99 / 100)
    // All are of today, so that the standard policy keeps them.
    #expect(stats["nextPrune"]?["snapshots"]?.int == 0)
    let files = try work.good("stats", "--by", "file", "--json").json()
    let rows = try #require(files["rows"]?.array)
    #expect(rows[0]["path"]?.string == "changes.bin")
    // With the lists of their chunks.
    #expect((7_500_000...7_520_000).contains(try #require(rows[0]["rawBytes"]?.int)))
    let types = try work.good("stats", "--by", "type", "-n", "1", "--json").json()
    #expect(types["rows"]?.array?.count == 1)
    #expect(types["rows"]?.array?[0]["name"]?.string == ".bin")
    for grouping in ["snapshot", "stage"] {
      #expect(try work.good("stats", "--by", grouping).status == 0)
    }
    #expect(try work.dtm("stats", "--by", "colour").status == 64)
    #expect(try work.dtm("stats", "-n", "3").status == 64)
  }

  @Test func `erase takes content out of all history, and nothing holds it afterwards`() throws {
    let work = try Workspace()
    let secret = Array(String(repeating: "card 4929 1234 5678 9012\n", count: 2000).utf8)
    let other = noise(7, 120_000)
    try work.write("raw/customers.csv", secret)
    try work.write("raw/other.bin", other)
    try work.write("short.key", "password=hunter2hunter2\n")
    try work.good("init", "--no-first-snapshot")
    let first = try work.snapshot().id()
    try work.write("raw/customers.csv", secret + Array("one more 4929 1234 5678 9012\n".utf8))
    try work.good("tag", "v1")
    let second = try work.snapshot().id()
    try work.shell("rm '\(work.lake)/raw/customers.csv' '\(work.lake)/short.key'")
    let third = try work.snapshot().id()
    try work.good("pin", third)
    let tree = try work.good("ls", third, "-R", "--json").text

    #expect(try work.dtm("erase", "customers.csv").status == 64)
    #expect(try work.dtm("erase", "customers.csv", "--confirm", "other").status == 64)
    let plan = try work.good("erase", "*.key", "--dry-run", "--json").json()
    #expect(plan["paths"]?.array?.compactMap(\.string) == ["short.key"])
    #expect(plan["snapshots"]?.int == 2)
    #expect(try work.log().map { try $0.id() } == [third, second, first])

    let erased = try work.good("erase", "customers.csv", "--confirm", "lake", "--json").json()
    #expect(erased["leftObjects"]?.int == 0)
    #expect(erased["snapshots"]?.int == 2)
    try work.good("erase", "*.key", "--confirm", "lake")
    try expectSound(work)
    let log = try work.log().map { try $0.id() }
    #expect(log.count == 3)
    #expect(!log.contains(first) && !log.contains(third))
    // Old ids lead to the new snapshots, and those say so.
    for (number, old) in [third, second, first].enumerated() {
      let shown = try work.good("show", old, "--json").json()
      #expect(try shown.id() == log[number])
      #expect(shown["rewrittenFrom"]?.string != nil)
    }
    #expect(try work.good("ls", third, "-R", "--json").text == tree)
    #expect(try work.good("cat", first, "raw/other.bin").output == other)
    #expect(try work.dtm("cat", first, "raw/customers.csv").status == 66)
    // Raw bytes, and what any frame unpacks to.
    let check = try work.shell(
      """
      /usr/bin/python3 - '\(work.lake)/.dtm' <<'END'
      import os, sys
      import zstandard
      wanted = [b"4929 1234 5678", b"hunter2"]
      for folder, _, names in os.walk(sys.argv[1]):
          for name in names:
              data = open(os.path.join(folder, name), "rb").read()
              parts, at = [data], data.find(bytes.fromhex("28b52ffd"))
              while at >= 0:
                  try: parts.append(zstandard.ZstdDecompressor().decompressobj().decompress(data[at:]))
                  except zstandard.ZstdError: pass
                  at = data.find(bytes.fromhex("28b52ffd"), at + 1)
              for part in parts:
                  for word in wanted:
                      if word in part: print(folder, name, word)
      END
      """)
    #expect(check.isEmpty, "\(check)")
    // Nothing brings it back.
    _ = try work.dtm("undo")
    let listing = try work.good("ls", "HEAD", "-R").text
    #expect(!listing.contains("customers"))
    #expect(try work.good("operations", "--json").text.contains("erase") == false)
    try work.write("raw/customers.csv", "fresh\n")
    try work.good("snapshot")
    try expectSound(work)
    let nothing = try work.dtm("erase", "nowhere.txt", "--confirm", "lake")
    #expect(nothing.status == 1, "\(nothing.text)")
  }

  @Test func `what other paths have too stays, and erase says so`() throws {
    let work = try Workspace()
    let shared = noise(3, 50_000)
    try work.write("a.bin", shared)
    try work.write("b.bin", shared)
    try work.good("init", "--no-first-snapshot")
    let id = try work.snapshot().id()
    let erased = try work.good("erase", "/a.bin", "--confirm", "lake", "--json").json()
    #expect(try #require(erased["leftObjects"]?.int) > 0)
    #expect(try work.good("cat", id, "b.bin").output == shared)
    #expect(try work.dtm("cat", id, "a.bin").status == 66)
    try expectSound(work)
  }
}
