import DTMSystem
import Testing

/// dtm repair on real files that were damaged behind its back.
@Suite(.needsPrograms) struct `Repair` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.shell("cd lake; for i in 1 2 3; do head -c 9000 /dev/urandom >f$i; done; seq 9999 >t")
  }

  private func python(_ arguments: String...) throws -> Outcome {
    let folder = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
    let command = [
      "/usr/bin/python3", "-B", folder + "/Compatibility/reader.py", work.file(".dtm"),
    ]
    return try ChildProcess(command + arguments, in: work.root, environment: work.environment)
      .finish()
  }

  @Test func `brings refs back from the packs, content from the folder, and names what is lost`()
    throws
  {
    try work.good("init")
    try work.shell("cd lake; cp -p f1 ../f1; head -c 9000 /dev/urandom >f1")
    let second = try work.snapshot().id()
    // The log gone, and all content: f1's first version stands nowhere else.
    try work.shell(
      """
      cd lake/.dtm; for f in refs/*; do : >$f; done
      python3 - live/*.data <<'PYTHON'
      import sys
      with open(sys.argv[1], "r+b") as file:
          data = bytearray(file.read())
          at = int.from_bytes(data[8:12], "little")
          while at < len(data):
              start = at + 36 + 37 * int.from_bytes(data[at + 8:at + 12], "little")
              at = start + int.from_bytes(data[at + 16:at + 20], "little")
              data[start:at] = bytes(at - start)
          file.seek(0)
          file.write(data)
      PYTHON
      """)
    #expect(try work.dtm("log").status == 65)
    let repaired = try work.dtm("repair", "--json")
    #expect(repaired.status == 65, "\(repaired.errorText)")
    let lost = try repaired.json().elements("lostPaths")
    #expect(lost.map { $0["path"]?.string } == ["f1"])
    #expect(try work.log().first?.id() == second)
    #expect(try work.good("verify", "--read-data").status == 0)
    #expect(try work.dtm("verify", "--all").status == 65)
    // The reader that was written from the format page finds no more wrong than that.
    let checked = try python("verify")
    #expect(checked.status != 0 && !checked.text.contains("refs/"), "\(checked.text)")
    // Put back, the lost version heals what needs it.
    try work.shell("cp -p f1 lake/f1")
    #expect(try work.dtm("repair").status == 0)
    #expect(try work.dtm("verify", "--all", "--read-data").status == 0)
    let sound = try python("verify")
    #expect(sound.status == 0, "\(sound.text)\(sound.errorText)")
  }

  @Test func `waits for no daemon, and says that one is in the way`() throws {
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
    try Daemon.configure(work)
    let daemon = try Daemon(configured: work)
    let outcome = try work.dtm("repair")
    #expect(outcome.status == 75)
    #expect(outcome.errorText.contains("systemctl stop dtmd"))
    #expect(daemon.stop() == 0)
    #expect(try work.dtm("repair").status == 0)
  }
}
