import DTMSystem
import Testing

/// The shipped units in a real systemd.
@Suite(.needsPrograms, .needsMachine) struct `Under systemd` {
  @Test func `the system's daemon starts, reports, reloads and takes a last snapshot`() throws {
    let machine = try Machine()
    try machine.good("useradd -m bob; mkdir /srv/lake; echo good >/srv/lake/a.csv")
    try machine.good("chown -R bob:bob /srv/lake; dtm protect /srv/lake")
    try machine.good("systemctl start dtmd")
    let state = try machine.good("systemctl show dtmd -p ActiveState,StatusText,Type")
    #expect(state.contains("ActiveState=active"))
    #expect(state.contains("StatusText=1 folder protected"))
    #expect(try machine.run("dtmd status").status == 0)
    // Changes are seen, recorded as the owner, and told to the journal with their fields.
    try machine.good("echo bad >/srv/lake/a.csv; dtm -C /srv/lake wait --timeout 30s")
    #expect(try machine.good("find /var/lib/dtm/lake -not -user bob") == "")
    #expect(
      try machine.good("dtm -C /srv/lake restore HEAD^; cat /srv/lake/a.csv").hasSuffix("good\n"))
    let journal = try machine.good("journalctl -u dtmd -o json --no-pager")
    let entries = try journal.split(separator: "\n").map { try JSONNode(parsing: Array($0.utf8)) }
    let snapshot = try #require(entries.first { $0["DTM_TRIGGER"]?.string == "quiet" })
    #expect(snapshot["DTM_FOLDER"]?.string == "lake")
    #expect(snapshot["DTM_BASIS"]?.string == "events")
    #expect(snapshot["MESSAGE_ID"]?.string?.count == 32)
    // A bad configuration is refused whole.
    try machine.good("echo '{\"folder\": []}' >/etc/dtm/dtmd.json; systemctl reload dtmd || true")
    #expect(try machine.run("dtmd status").text.contains("folder"))
    #expect(try machine.good("systemctl is-active dtmd") == "active\n")
    try machine.good("rm /etc/dtm/dtmd.json; systemctl reload dtmd")
    #expect(try machine.run("dtmd status").status == 0)
    try machine.good("echo last >/srv/lake/b.csv; systemctl stop dtmd")
    #expect(try machine.good("dtm -C /srv/lake cat HEAD b.csv") == "last\n")
    #expect(try machine.good("systemctl show dtmd -p Result") == "Result=success\n")
    #expect(try machine.run("dtmd status").status == 3)
  }

  @Test func `a killed daemon is started again and finds what changed meanwhile`() throws {
    let machine = try Machine()
    try machine.good("mkdir /srv/lake; echo 1 >/srv/lake/a.csv; dtm protect /srv/lake")
    try machine.good("systemctl start dtmd")
    let pid = try machine.good("systemctl show dtmd -p MainPID")
    try machine.good("kill -9 $(systemctl show dtmd -P MainPID); echo 2 >/srv/lake/a.csv")
    try machine.good(
      "for i in $(seq 100); do dtmd status >/dev/null && break; sleep 0.1; done; dtmd status")
    #expect(try machine.good("systemctl show dtmd -p MainPID") != pid)
    try machine.good("dtm -C /srv/lake wait --timeout 30s")
    #expect(try machine.good("dtm -C /srv/lake cat HEAD a.csv") == "2\n")
    #expect(try machine.good("dtm -C /srv/lake verify --read-data").contains("sound"))
  }

  @Test func `a user's own daemon protects their folders`() throws {
    let machine = try Machine()
    try machine.good("useradd -m bob; loginctl enable-linger bob")
    try machine.good(
      "for i in $(seq 100); do [ -S /run/user/$(id -u bob)/bus ] && break; sleep 0.1; done")
    try machine.good(as: "bob", "mkdir data; echo 1 >data/x; dtm protect data")
    try machine.good(as: "bob", "systemctl --user enable --now dtmd; dtmd status")
    try machine.good(as: "bob", "echo 2 >data/x; dtm -C data wait --timeout 30s")
    #expect(try machine.good(as: "bob", "dtm -C data cat HEAD x") == "2\n")
    try machine.good(as: "bob", "rm -r data; dtm -C data restore; cat data/x")
    try machine.good(as: "bob", "systemctl --user stop dtmd")
    #expect(try machine.run("dtm -C ~bob/data verify").status == 0)
  }
}
