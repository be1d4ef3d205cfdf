import DTMSystem
import Glibc
import Testing

@Suite(.needsPrograms) struct `dtm restore` {
  let work: Workspace
  let first: String

  init() throws {
    work = try Workspace()
    try work.write("orders.csv", "good\n")
    try work.write("raw/b.csv", "b\n")
    try work.shell("mkdir lake/empty; ln -s orders.csv lake/link; ln lake/raw/b.csv lake/raw/c.csv")
    try work.shell(
      "chmod 640 lake/orders.csv; touch -d '2020-02-03 04:05:06.123456789' lake/raw/b.csv")
    try work.good("init", "--no-first-snapshot")
    first = try work.snapshot().id()
  }

  @Test func `brings a file back from HEAD, and says so with every key`() throws {
    try work.write("orders.csv", "bad\n")
    let result = try work.good("restore", "orders.csv", "--json").json()
    #expect(try work.read("orders.csv") == "good\n")
    #expect(result["snapshot"]?.string == first)
    _ = try result.id("safetySnapshot")
    _ = try result.id("restoreSnapshot")
    #expect(result["operation"]?.isNull == false)
    #expect(result["written"]?.int == 1)
    #expect(result["removed"]?.int == 0)
    #expect(result["metadata"]?.int != nil)
    #expect(result["bytesWritten"]?.int == 5)
    #expect(try result.elements("problems").isEmpty)
  }

  @Test func `takes the newest version that differs, for the damage may be recorded`() throws {
    try work.write("orders.csv", "better\n")
    try work.snapshot()
    try work.write("orders.csv", "bad\n")
    try work.snapshot()
    try work.snapshot()
    let outcome = try work.good("restore", "orders.csv")
    #expect(try work.read("orders.csv") == "better\n")
    #expect(outcome.text.contains("orders.csv"))
    // Nothing differs from the newest version now but the bad one, which is a version too.
    #expect(try work.good("restore", "--at", first, "orders.csv").status == 0)
    #expect(try work.read("orders.csv") == "good\n")
  }

  @Test func `grows the log by what would be lost and by the result`() throws {
    try work.write("orders.csv", "bad\n")
    try work.good("restore", "orders.csv")
    let log = try work.log()
    #expect(log.count == 3)
    #expect(log.map { $0["trigger"]?["kind"]?.string } == ["restore", "safety", "manual"])
    #expect(log[0]["branch"]?.string == "main")
    #expect(try work.good("cat", "HEAD~1", "orders.csv").text == "bad\n")
    // What would be lost is in HEAD already: no safety snapshot.
    let again = try work.good("restore", "--at", "HEAD~1", "orders.csv", "--json").json()
    #expect(again["safetySnapshot"]?.isNull == true)
    #expect(try work.log().count == 4)
  }

  @Test func `without a path brings the whole folder to HEAD`() throws {
    let before = try Files.listing(work.lake)
    try work.shell("rm -r lake/raw lake/empty lake/link; echo x >lake/new; echo y >lake/orders.csv")
    try work.shell("chmod 777 lake/orders.csv")
    try work.good("restore")
    #expect(try Files.listing(work.lake) == before)
    #expect(!work.exists("new"))
    let names = try (Files.status(work.file("raw/b.csv")), Files.status(work.file("raw/c.csv")))
    #expect(names.0.st_ino == names.1.st_ino, "hard links are links again")
    #expect(names.0.st_mtim.tv_nsec == 123_456_789)
    #expect(try Files.mode(work.file("orders.csv")) == 0o640)
  }

  @Test func `makes a directory what it was, and keeps what was added when told so`() throws {
    try work.write("raw/added", "a")
    try work.write("raw/b.csv", "bad")
    try work.good("restore", "HEAD", "raw", "--no-delete")
    #expect(try work.read("raw/b.csv") == "b\n")
    #expect(work.exists("raw/added"))
    try work.good("restore", first, "raw")
    #expect(!work.exists("raw/added"))
  }

  @Test func `leaves what was not asked for`() throws {
    try work.write("orders.csv", "bad\n")
    try work.write("raw/b.csv", "new\n")
    try work.good("restore", "orders.csv")
    #expect(try work.read("raw/b.csv") == "new\n")
  }

  @Test func `writes nothing with --dry-run`() throws {
    try work.write("orders.csv", "bad\n")
    let outcome = try work.good("restore", "orders.csv", "--dry-run")
    #expect(outcome.text.contains("orders.csv"))
    #expect(try work.read("orders.csv") == "bad\n")
    #expect(try work.log().count == 1)
  }

  @Test func `says when there is nothing to do`() throws {
    let outcome = try work.good("restore", "orders.csv")
    #expect(!outcome.text.isEmpty)
    #expect(try work.log().count == 1)
    let whole = try work.good("restore", "--json").json()
    #expect(whole["written"]?.int == 0)
  }

  @Test func `lays paths out elsewhere`() throws {
    try work.write("orders.csv", "bad\n")
    try work.good("restore", first, "--to", work.path("out"))
    try work.shell("diff -r --no-dereference --exclude=.dtm --exclude=orders.csv lake out")
    #expect(
      String(decoding: try Files.read(work.path("out/orders.csv")), as: UTF8.self) == "good\n")
    #expect(try work.read("orders.csv") == "bad\n")
    #expect(try work.log().count == 1, "nothing in the folder changed")
    #expect(try work.dtm("restore", first, "--to", work.path("out")).status == 73)
    try work.good("restore", first, "--to", work.path("out"), "--overwrite")
    try work.good("restore", "--at", first, "--to", work.path("one"), "raw/b.csv")
    #expect(Files.exists(work.path("one/raw/b.csv")))
    #expect(!Files.exists(work.path("one/orders.csv")))
  }

  @Test func `follows no link out of the folder`() throws {
    try work.shell("mkdir outside; echo precious >outside/b.csv; rm -r lake/raw")
    try work.shell("ln -s ../outside lake/raw")
    _ = try work.dtm("restore", "raw/b.csv")
    try work.good("restore")
    #expect(
      String(decoding: try Files.read(work.path("outside/b.csv")), as: UTF8.self) == "precious\n")
    #expect(try work.shell("ls outside") == "b.csv\n")
    #expect(try work.shell("stat -c %F lake/raw") == "directory\n")
    #expect(try work.read("raw/b.csv") == "b\n")
  }

  @Test func `does not guess between a snapshot and a path`() throws {
    try work.good("tag", "raw")
    try work.write("raw/b.csv", "new\n")
    let outcome = try work.dtm("restore", "raw")
    #expect(outcome.status == 64)
    #expect(outcome.errorText.contains("--at"))
    #expect(try work.read("raw/b.csv") == "new\n")
    try work.good("restore", "--", "raw")
    #expect(try work.read("raw/b.csv") == "b\n")
  }

  @Test func `of what never was is status 66`() throws {
    #expect(try work.dtm("restore", "nosuch.csv").status == 66)
    #expect(try work.dtm("restore", "--at", "nosuch", "orders.csv").status == 66)
    #expect(try work.dtm("restore", "HEAD", "../outside").status != 0)
  }

  @Test func `brings holes back as holes`() throws {
    try work.shell(
      "truncate -s 16M lake/sparse; printf x | dd of=lake/sparse bs=1 seek=9000000 conv=notrunc")
    let digest = try work.shell("sha256sum <lake/sparse")
    try work.snapshot()
    try work.shell("rm lake/sparse")
    try work.good("restore", "sparse")
    #expect(try work.shell("sha256sum <lake/sparse") == digest)
    let status = try Files.status(work.file("sparse"))
    #expect(status.st_size == 16 << 20)
    #expect(Int(status.st_blocks) * 512 < 1 << 20)
  }

  @Test func `restores large and many files`() throws {
    try work.shell(
      """
      cd lake; for i in $(seq 1 500); do mkdir -p d/$((i % 20)); seq $i $((i * 3)) >d/$((i % 20))/$i; done
      seq 1 400000 >large.csv
      """)
    try work.snapshot()
    let before = try Files.listing(work.lake)
    try work.shell("rm -r lake/d; head -n 96 lake/large.csv >x; cat x >lake/large.csv")
    try work.good("restore")
    #expect(try Files.listing(work.lake) == before)
  }

  @Test func `replaces a file whole: who reads the old one keeps it`() throws {
    try work.write("orders.csv", "bad\n")
    let inode = try Files.status(work.file("orders.csv")).st_ino
    try work.good("restore", "orders.csv")
    #expect(try Files.status(work.file("orders.csv")).st_ino != inode)
    #expect(
      try work.shell("ls -A lake | grep -v '^.dtm$' | sort | tr '\\n' ' '")
        == "empty link orders.csv raw ", "no temporary file is left")
  }
}
