import DTMSystem
import DTMTestSupport
import Testing

/// ls, cat, verify.
@Suite(.needsPrograms) struct `Content` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("a.csv", "1\n")
    try work.write("raw/b.csv", "22\n")
    try work.shell("ln -s a.csv lake/link; mkdir lake/empty; chmod 640 lake/a.csv")
    try work.good("init")
  }

  private func random(_ count: Int) -> [UInt8] {
    var generator = SplitMix.fresh("Content")
    return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
  }

  @Test func `is listed as it was`() throws {
    try work.shell("rm -r lake/raw; touch -d 2001-01-01 lake/a.csv")
    let entries = try #require(try work.good("ls", "HEAD", "--json").json().array)
    let byPath = Dictionary(
      entries.map { ($0["path"]?.string ?? "?", $0) }, uniquingKeysWith: { first, _ in first })
    #expect(byPath.keys.sorted() == ["a.csv", "empty", "link", "raw"])
    #expect(byPath["a.csv"]?["kind"]?.string == "file")
    #expect(byPath["a.csv"]?["size"]?.int == 2)
    #expect(byPath["a.csv"]?["mode"]?.isNull == false)
    #expect(byPath["a.csv"]?["mtime"]?.string?.hasPrefix("2001") == false)
    #expect(byPath["link"]?["kind"]?.string == "symlink")
    #expect(byPath["link"]?["target"]?.string == "a.csv")
    #expect(byPath["raw"]?["kind"]?.string == "directory")
  }

  @Test func `is listed beneath a path, and all of it with -R`() throws {
    let beneath = try work.good("ls", "HEAD", "raw", "--json").json().array
    #expect(beneath?.map { $0["path"]?.string } == ["raw/b.csv"])
    let all = try work.good("ls", "HEAD", "-R", "--json").json().array
    #expect(all?.compactMap { $0["path"]?.string }.contains("raw/b.csv") == true)
    #expect(try work.good("ls", "-l").text.contains("a.csv"))
    #expect(try work.dtm("ls", "HEAD", "nosuch").status == 66)
  }

  @Test func `of WORKING is what is there now`() throws {
    try work.write("new.csv", "n\n")
    let listed = try work.good("ls", "WORKING", "--json").json().array
    #expect(listed?.contains { $0["path"]?.string == "new.csv" } == true)
    #expect(try work.good("cat", "WORKING", "new.csv").text == "n\n")
    #expect(try work.dtm("cat", "HEAD", "new.csv").status == 66)
  }

  @Test(arguments: [0, 1, 128, 129, 4096, 16_384, 65_536, 3_000_000])
  func `of any size comes back byte by byte`(_ size: Int) throws {
    let bytes = random(size)
    try work.write("big", bytes)
    try work.snapshot()
    try work.write("big", "other")
    #expect(try work.good("cat", "HEAD", "big").output == bytes)
  }

  @Test func `of a directory or of nothing is no file`() throws {
    #expect(try work.dtm("cat", "HEAD", "raw").status != 0)
    #expect(try work.dtm("cat", "HEAD", "nosuch").status == 66)
    #expect(try work.dtm("cat", "nosuch", "a.csv").status == 66)
  }

  @Test func `goes to standard output as an archive, by its name too`() throws {
    let archive = try work.good("export", "HEAD")
    #expect(archive.output.count % 512 == 0 && archive.output.count > 2048)
    #expect(try work.good("export", "HEAD", "-o", "-").output == archive.output)
    #expect(!Files.exists(work.file("-")))
  }

  @Test func `goes to an archive whose name is not UTF-8`() throws {
    let programs = try #require(Programs.folder)
    try work.shell(
      """
      name=$(printf 'caf\\351.tar')
      cd lake
      \(programs)/dtm export HEAD -o "$name"
      ls "$name"
      """)
  }

  @Test func `is verified`() throws {
    let quick = try work.good("verify", "--json").json()
    #expect(quick["ok"]?.bool == true)
    #expect((quick["objects"]?.int ?? 0) > 0)
    #expect(quick["bytes"]?.int != nil)
    #expect(try quick.elements("damage").isEmpty)
    #expect(try work.good("verify", "--all", "--read-data", "--json").json()["ok"]?.bool == true)
    #expect(try work.dtm("doctor").text.contains("all data was read and found sound"))
    #expect(try work.dtm("verify", "nosuch").status == 66)
  }

  @Test func `that is damaged is found, named, and never written out as good`() throws {
    let bytes = random(2_000_000)
    try work.write("big", bytes)
    try work.snapshot()
    try work.shell(
      """
      pack=$(find lake/.dtm/live lake/.dtm/packs -name '*.data' -printf '%s %p\\n' \
        | sort -n | tail -n 1 | cut -d ' ' -f 2-)
      chmod u+w "$pack"
      size=$(stat -c %s "$pack")
      byte=$(od -An -tu1 -j $((size / 2)) -N 1 "$pack")
      printf "\\\\$(printf %o $(( $byte ^ 1 )))" | dd of="$pack" bs=1 seek=$((size / 2)) conv=notrunc
      """)
    let verified = try work.dtm("verify", "--read-data", "--json")
    #expect(verified.status == 65)
    let node = try verified.json()
    #expect(node["ok"]?.bool == false)
    let damage = try node.elements("damage")
    #expect(damage.contains { ($0["paths"]?.array ?? []).contains { $0.string == "big" } })
    #expect(damage.first?["object"]?.string?.isEmpty == false)
    #expect(damage.first?["pack"]?.string?.isEmpty == false)
    let cat = try work.dtm("cat", "HEAD", "big")
    #expect(cat.status == 65)
    #expect(cat.output.count < bytes.count)
    #expect(bytes.starts(with: cat.output), "only checked bytes are written")
    #expect(cat.errorText.contains("big"))
    try work.write("big", "something else")
    #expect(try work.dtm("restore", "big").status == 65)
    #expect(try work.read("big") == "something else")
    #expect(try work.good("cat", "HEAD", "a.csv").text == "1\n")
  }
}
