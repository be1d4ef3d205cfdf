import DTMSystem
import Glibc
import Testing

/// A folder of an ordinary user, and root, root's daemon and strangers around it.
@Suite(.needsPrograms, .enabled(if: getuid() == 0, "root acts as several users"))
struct `A folder of somebody else` {
  private static let owner: UInt32 = 64_001
  private static let stranger: UInt32 = 64_002

  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.admitOthers()
    try work.write("orders.csv", "good\n")
    try work.write("raw/b.csv", "b\n")
    try work.shell("chmod 600 lake/orders.csv; chown -R \(Self.owner):\(Self.owner) lake")
    try Daemon.configure(work, folders: "")
  }

  private func protect() throws {
    try work.good("protect", work.lake, "--repository", work.path("repository"), in: work.root)
  }

  /// Files of the repository that are not its owner's.
  private func strays() throws -> String {
    try work.shell("find repository -not -uid \(Self.owner)")
  }

  @Test func `gets a repository that is its owner's alone`() throws {
    try protect()
    #expect(try strays() == "")
    #expect(try work.shell("stat -c '%u %a' repository") == "\(Self.owner) 700\n")
    #expect(try work.shell("stat -c %u lake/.dtm") == "\(Self.owner)\n")
    // Root goes on as the owner.
    try work.write("orders.csv", "next\n")
    let snapshot = try work.snapshot("-m", "by root")
    #expect(snapshot["modified"]?.int == 1)
    #expect(try strays() == "")
    // The owner works with it as with one of their own.
    #expect(try work.dtm(as: Self.owner, "restore", "HEAD^", "orders.csv").status == 0)
    #expect(try work.read("orders.csv") == "good\n")
    #expect(try work.dtm(as: Self.owner, "undo").status == 0)
    #expect(try work.read("orders.csv") == "next\n")
    #expect(try strays() == "")
  }

  @Test func `is restored by root as its owner would`() throws {
    try protect()
    try work.shell("rm -r lake/orders.csv lake/raw")
    try work.good("restore")
    #expect(
      try work.shell("cd lake; stat -c '%u %a %n' orders.csv raw raw/b.csv")
        == "64001 600 orders.csv\n64001 755 raw\n64001 644 raw/b.csv\n")
    #expect(try strays() == "")
  }

  @Test func `never has in its history what its owner may not read`() throws {
    try work.write("secret", "root's own\n")
    try work.shell("chown 0:0 lake/secret; chmod 600 lake/secret")
    let outcome = try work.dtm(
      "protect", work.lake, "--repository", work.path("repository"), in: work.root)
    #expect(outcome.status == 0)
    let head = try work.log()[0]
    #expect(head["complete"]?.bool == false)
    #expect(try head.elements("problems").first?["path"]?.string == "secret")
    #expect(try head.elements("problems").first?["kind"]?.string == "unreadable")
    #expect(try work.dtm("cat", "HEAD", "secret").status == 66)
  }

  @Test func `is protected by root's daemon as its owner, which says what it may not read`() throws
  {
    try protect()
    let daemon = try Daemon(configured: work)
    try work.good("wait", "--timeout", "30s")
    #expect(try work.dtmd("status").status == 0)
    try work.write("secret", "root's own\n")
    try work.shell("chmod 600 lake/secret")
    try work.good("wait", "--timeout", "30s")
    let status = try work.dtmd("status")
    #expect(status.status == 1)
    #expect(status.text.hasPrefix("degraded"))
    #expect(status.text.contains("secret can't be read by the repository's owner"))
    let folder = try daemon.folder()
    #expect(folder["state"]?.string == "degraded")
    #expect(try folder.elements("uncovered").map(\.string) == ["secret"])
    #expect(try work.dtm(as: Self.owner, "snapshot", "-m", "mine").status == 3)
    try work.shell("chown \(Self.owner) lake/secret")
    try work.good("wait", "--timeout", "30s")
    #expect(try work.dtmd("status").status == 0)
    #expect(try work.good("cat", "HEAD", "secret").text == "root's own\n")
    // The owner's restore is one snapshot of the daemon's.
    try work.write("orders.csv", "bad\n")
    try work.good("wait", "--timeout", "30s")
    let restored = try work.dtm(as: Self.owner, "restore", "orders.csv")
    #expect(restored.status == 0, "\(restored.errorText)")
    #expect(try work.read("orders.csv") == "good\n")
    #expect(try work.log()[0]["trigger"]?["kind"]?.string == "restore")
    #expect(try strays() == "")
    #expect(daemon.stop() == 0)
  }

  @Test func `is closed to strangers, with and without the daemon`() throws {
    try protect()
    for arguments in [["log"], ["snapshot"], ["restore", "orders.csv"], ["status"]] {
      let outcome = try work.stranger(Self.stranger, arguments)
      #expect(outcome.status == 77, "\(arguments): \(outcome.errorText)")
    }
    let daemon = try Daemon(configured: work)
    try work.good("wait", "--timeout", "30s")
    let before = try work.log().count
    for arguments in [["log"], ["snapshot"], ["restore", "orders.csv"]] {
      let outcome = try work.stranger(Self.stranger, arguments)
      #expect(outcome.status == 77, "\(arguments): \(outcome.errorText)")
    }
    #expect(try work.log().count == before)
    #expect(daemon.stop() == 0)
  }

  @Test func `whose repository belongs to a third is refused`() throws {
    try work.good("init", "--no-first-snapshot")
    try work.shell("chown -R \(Self.stranger) lake/.dtm")
    let outcome = try work.dtm(as: Self.owner, "log")
    #expect(outcome.status == 77)
    #expect(outcome.errorText.contains("neither to you nor to root"))
  }

  @Test func `does not lead root's writes elsewhere by planted links`() throws {
    try protect()
    try work.shell(
      "mkdir trap; rm -r repository/live repository/refs; ln -s ../trap repository/live")
    try work.shell("ln -s ../trap repository/refs; chown -h \(Self.owner) repository/*")
    try work.write("orders.csv", "next\n")
    #expect(try work.dtm("snapshot").status != 0)
    #expect(try work.shell("find trap -mindepth 1") == "")
  }

  @Test func `is not given a directory that was there before`() throws {
    try work.shell("mkdir precious empty; echo 1 >precious/file; chmod 755 precious empty")
    for place in ["precious", "empty"] {
      let outcome = try work.dtm(
        "protect", work.lake, "--repository", work.path(place), in: work.root)
      #expect(outcome.status != 0)
      #expect(try work.shell("stat -c '%u %a' \(place)") == "0 755\n")
    }
    #expect(!work.exists(".dtm"))
    #expect(try work.shell("ls dtmd.json.d 2>/dev/null || true") == "")
  }
}
