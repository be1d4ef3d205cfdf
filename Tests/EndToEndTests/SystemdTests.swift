import DTMSystem
import Testing

/// The shipped units in a real systemd.
@Suite(.needsPrograms, .needsMachine) struct `Under systemd` {
  @Test func `the system's daemon starts, reports, reloads and takes a last snapshot`() throws {
    let machine = try Machine()
    try machine.good("useradd -m bob; mkdir /srv/lake; echo good >/srv/lake/a.csv")
    try machine.good("chown -R bob:bob /srv/lake; dtm protect /srv/lake")
    try machine.good("systemctl start dtmd")
    // Ready is who is armed; protected is what was looked at since.
    try machine.good(
      "for i in $(seq 100); do dtmd status >/dev/null && break; sleep 0.1; done; dtmd status")
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

  /// The hardened unit has no right to signal other users' processes.
  @Test func `checks run as the folder's owner, and one that hangs is ended`() throws {
    let machine = try Machine()
    try machine.good("useradd -m bob; mkdir /srv/lake; echo 1 >/srv/lake/a.csv")
    try machine.good("chown -R bob:bob /srv/lake; dtm protect /srv/lake")
    let checks = """
      [{"name": "hang", "run": ["/bin/sh", "-c", "sleep 1000"], "timeout": "1s", "on": "view"},
       {"name": "who", "run": ["/bin/sh", "-c", "test $(id -un) = bob -a -O a.csv"],
        "timeout": "30s", "on": "view"}]
      """
    try machine.good(
      """
      sed -i '$d' /etc/dtm/dtmd.json.d/lake.json
      sed -i '$s/$/,/' /etc/dtm/dtmd.json.d/lake.json
      cat >>/etc/dtm/dtmd.json.d/lake.json <<'END'
      "checks": \(checks) }
      END
      """)
    try machine.good("systemctl start dtmd")
    try machine.good("echo 2 >/srv/lake/a.csv; dtm -C /srv/lake wait --timeout 30s")
    let found = try machine.good(
      """
      for i in $(seq 300); do
        dtm -C /srv/lake show --json | grep -q '"who"' && break; sleep 0.1
      done
      dtm -C /srv/lake show --json
      """)
    let said = try JSONNode(parsing: Array(found.utf8))["checks"]
    #expect(said?["hang"]?.string == "error", "\(found)")
    #expect(said?["who"]?.string == "pass", "\(found)")
    #expect(try machine.good("pgrep -x sleep || true") == "")
    try machine.good("systemctl stop dtmd")
    #expect(try machine.good("systemctl show dtmd -p Result") == "Result=success\n")
  }

  @Test func `a user's own daemon protects their folders`() throws {
    let machine = try Machine()
    try machine.good("useradd -m bob; loginctl enable-linger bob")
    try machine.good(
      "for i in $(seq 100); do [ -S /run/user/$(id -u bob)/bus ] && break; sleep 0.1; done")
    try machine.good(as: "bob", "mkdir data; echo 1 >data/x; dtm protect data")
    try machine.good(as: "bob", "systemctl --user enable --now dtmd")
    try machine.good(
      as: "bob",
      "for i in $(seq 100); do dtmd status >/dev/null && break; sleep 0.1; done; dtmd status")
    try machine.good(as: "bob", "echo 2 >data/x; dtm -C data wait --timeout 30s")
    #expect(try machine.good(as: "bob", "dtm -C data cat HEAD x") == "2\n")
    try machine.good(as: "bob", "rm -r data; dtm -C data restore; cat data/x")
    try machine.good(as: "bob", "systemctl --user stop dtmd")
    #expect(try machine.run("dtm -C ~bob/data verify").status == 0)
  }

  @Test func `a user's socket unit starts the user's daemon, and calls wait while it is restarted`()
    throws
  {
    let machine = try Machine()
    try machine.good("useradd -m bob; loginctl enable-linger bob")
    try machine.good(
      "for i in $(seq 100); do [ -S /run/user/$(id -u bob)/bus ] && break; sleep 0.1; done")
    try machine.good(as: "bob", "mkdir data; echo 1 >data/x; dtm protect data")
    try machine.good(
      as: "bob",
      "systemctl --user enable --now dtmd.socket; ! systemctl --user is-active -q dtmd.service")
    let socket = "/run/user/$(id -u bob)/dtm/dtmd.sock"
    #expect(try machine.good("stat -c '%a %U' \(socket)") == "600 bob\n")
    // The first call brings the daemon up, and is answered by it.
    try machine.good(as: "bob", "dtm -C data snapshot -m first")
    #expect(try machine.good("ps -o user= -C dtmd") == "bob\n")
    try machine.good(as: "bob", "echo 2 >data/x; dtm -C data wait --timeout 30s")
    #expect(try machine.good(as: "bob", "dtm -C data cat HEAD x") == "2\n")
    try machine.good(
      as: "bob",
      """
      systemctl --user restart --no-block dtmd
      for i in 1 2 3 4 5 6 7 8 9 10; do dtmd status --json >/dev/null || [ $? -le 2 ] || exit 1; done
      """)
    // Stopped, it comes back with the next call, what changed meanwhile included.
    try machine.good(as: "bob", "systemctl --user stop dtmd.service; echo 3 >data/x")
    try machine.good(as: "bob", "dtm -C data snapshot -m second; dtm -C data cat HEAD x")
    #expect(try machine.good(as: "bob", "dtm -C data cat HEAD x") == "3\n")
    try machine.good(as: "bob", "systemctl --user stop dtmd.socket dtmd.service")
    try machine.good("[ ! -e \(socket) ]")
  }

  @Test func `the system's unit is exposed to little`() throws {
    let machine = try Machine()
    try machine.good("systemd-analyze verify --man=no /etc/systemd/system/dtmd.service")
    for (unit, limit) in [("dtmd", 1.5), ("dtmd@bob", 1.0)] {
      let words = try machine.good(
        "systemd-analyze security --no-pager \(unit) | sed -n 's/.*exposure level.*: //p'")
      let number = words.split(separator: " ").first.flatMap { Double($0) }
      #expect((number ?? 10) > 0 && (number ?? 10) <= limit, "\(unit): \(words)")
    }
  }

  @Test func `what the unit keeps from the daemon is said, and a drop-in gives it`() throws {
    let machine = try Machine()
    // A repository where the unit lets nobody write, a folder in others' temporary files.
    try machine.good("mkdir /lake /tmp/lake2; echo 1 >/lake/a; echo 1 >/tmp/lake2/a")
    try machine.good("dtm -C /lake init /lake; dtm protect /lake; dtm protect /tmp/lake2")
    try machine.good("systemctl start dtmd")
    let status = try machine.run("dtmd status --json")
    #expect(status.status == 2)
    let folders = try status.json().elements("folders")
    #expect(folders.map { $0["state"]?.string } == ["unprotected", "unprotected"])
    #expect(status.text.lowercased().contains("read-only"), "\(status.text)")
    // The doctor says what to run; that mends it.
    let diagnosis = try machine.run("dtm doctor --json")
    #expect(diagnosis.status == 1)
    var lines: [String] = []
    for section in try diagnosis.json().elements("sections") {
      for finding in try section.elements("findings")
      where finding["subject"]?.string == "protection" {
        lines += try finding.elements("mend").compactMap(\.string)
      }
    }
    #expect(lines.count == 6, "\(diagnosis.text)")
    for line in lines { try machine.good(line) }
    try machine.good("dtm -C /lake wait --timeout 30s; dtm -C /tmp/lake2 wait --timeout 30s")
    #expect(try machine.run("dtmd status").status == 0)
    try machine.good("echo 2 >/lake/a; dtm -C /lake wait --timeout 30s")
    #expect(try machine.good("dtm -C /lake cat HEAD a") == "2\n")
  }

  @Test func `a daemon that hangs is killed by the watchdog and started again`() throws {
    let machine = try Machine()
    try machine.good("mkdir /srv/lake; echo 1 >/srv/lake/a.csv; dtm protect /srv/lake")
    try machine.good(
      """
      mkdir /etc/systemd/system/dtmd.service.d
      printf '[Service]\nWatchdogSec=2s\nTimeoutAbortSec=1s\n' \
        >/etc/systemd/system/dtmd.service.d/fast.conf
      systemctl daemon-reload; systemctl start dtmd
      """)
    // It lives through three times the limit, as it feeds the watchdog.
    try machine.good("sleep 6; [ $(systemctl show dtmd -P NRestarts) = 0 ]")
    let pid = try machine.good("systemctl show dtmd -P MainPID")
    try machine.good("kill -STOP \(pid.dropLast()); echo 2 >/srv/lake/a.csv")
    try machine.good(
      """
      for i in $(seq 300); do
        [ "$(systemctl show dtmd -P NRestarts)" = 0 ] || break; sleep 0.1
      done
      for i in $(seq 100); do dtmd status >/dev/null && break; sleep 0.1; done; dtmd status
      """)
    #expect(try machine.good("systemctl show dtmd -P MainPID") != pid)
    #expect(try machine.good("journalctl -u dtmd --no-pager").contains("Watchdog timeout"))
    try machine.good("dtm -C /srv/lake wait --timeout 30s")
    #expect(try machine.good("dtm -C /srv/lake cat HEAD a.csv") == "2\n")
  }

  @Test func `the socket unit starts the daemon, and calls wait while it is restarted`() throws {
    let machine = try Machine()
    try machine.good("mkdir /srv/lake; echo 1 >/srv/lake/a.csv; dtm protect /srv/lake")
    try machine.good("systemctl start dtmd.socket; ! systemctl is-active -q dtmd")
    #expect(try machine.good("stat -c %a /run/dtm/dtmd.sock") == "666\n")
    // The first call brings the daemon up, and is answered by it.
    // (It answers before it is READY, so the unit may still be activating.)
    let isStarted = "[ $(systemctl show dtmd -P MainPID) != 0 ]"
    try machine.good("dtm -C /srv/lake snapshot -m first; \(isStarted)")
    #expect(try machine.good("systemctl show dtmd -P NRestarts") == "0\n")
    try machine.good("echo 2 >/srv/lake/a.csv; dtm -C /srv/lake wait --timeout 30s")
    // No call fails while it is away.
    try machine.good(
      """
      systemctl restart --no-block dtmd
      for i in $(seq 40); do dtmd status --json >/dev/null || [ $? -le 2 ] || exit 1; done
      """)
    try machine.good("systemctl stop dtmd; [ -S /run/dtm/dtmd.sock ]")
    try machine.good("dtm -C /srv/lake snapshot -m second; \(isStarted)")
    #expect(try machine.good("dtm -C /srv/lake log --oneline").contains("second"))
    try machine.good("systemctl stop dtmd.socket dtmd; [ ! -e /run/dtm/dtmd.sock ]")
  }

  @Test func `a user's daemon runs without a login, and the user's dtm finds it`() throws {
    let machine = try Machine()
    try machine.good("useradd -m bob")
    try machine.good("runuser -l bob -c 'mkdir data; echo 1 >data/x; dtm protect data'")
    try machine.good("systemctl start dtmd@bob; systemctl is-active -q dtmd@bob")
    try machine.good("runuser -l bob -c 'echo 2 >data/x; dtm -C data wait --timeout 30s'")
    #expect(try machine.good("runuser -l bob -c 'dtm -C data cat HEAD x'") == "2\n")
    #expect(try machine.good("ps -o user= -C dtmd") == "bob\n")
    // The configuration that it writes is that daemon's.
    try machine.good("runuser -l bob -c 'mkdir more; dtm protect more'")
    try machine.good("runuser -l bob -c 'dtm -C more wait --timeout 30s; dtmd status'")
    #expect(try machine.good("runuser -l bob -c 'dtmd status --json'").contains("/home/bob/more"))
    try machine.good("systemctl stop dtmd@bob")
  }

  @Test func `journalctl -x explains the daemon's entries`() throws {
    let machine = try Machine()
    try machine.good("journalctl --update-catalog; mkdir /srv/lake; dtm protect /srv/lake")
    try machine.good("systemctl start dtmd; dtm -C /srv/lake wait --timeout 30s")
    try machine.good("dtm -C /srv/lake pause")
    let text = try machine.good("journalctl -x -u dtmd --no-pager")
    for words in [
      "The daemon runs", "Every change in /srv/lake is seen and captured",
      "`dtm -C /srv/lake resume` ends it", "Support: man:dtmd(8)",
    ] {
      #expect(text.contains(words), "\(words)")
    }
  }
}
