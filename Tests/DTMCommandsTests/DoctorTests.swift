import DTMCommands
import DTMControl
import DTMSystem
import SystemPackage
import Testing

/// What `dtm doctor` makes of facts: good ones, and each kind of bad ones.
@Suite struct `The doctor` {
  /// A machine on which all is well, with one protected folder.
  private static func well(user: UInt32 = 0) -> DoctorFacts {
    var facts = DoctorFacts(
      user: user, now: CommandFixture.now,
      limits: NotifyLimits(maxWatches: 1_048_576, maxInstances: 1024, maxQueuedEvents: 16_384),
      usage: NotifyUsage(watches: 4000, instances: 12), isClockSynchronized: true,
      hasJournal: true,
      daemon: .running(version: ProgramVersion.current, pid: 812, socket: "/run/dtm/dtmd.sock"))
    var folder = FolderFacts(name: "lake", path: "/srv/data/lake", isConfigured: true)
    folder.directories = 3000
    folder.fileSystem = .ext4
    folder.hasLeases = true
    folder.status = FolderStatus(
      name: "lake", path: "/srv/data/lake", state: .protected, phase: .idle,
      watchedDirectories: 3000, basis: .events)
    var repository = RepositoryFacts(path: "/var/lib/dtm/lake")
    repository.permissions = 0o700
    repository.fileSystem = .xfs
    repository.abilities = FileSystemAbilities(clones: true, hasFineTimes: true, mapsShared: true)
    repository.space = FileSystemSpace(
      freeBytes: 500 << 30, totalBytes: 1 << 40, freeInodes: 1_000_000, totalInodes: 2_000_000)
    repository.newestSnapshot = CommandFixture.now.advanced(by: .seconds(-180))
    repository.lastVerified = CommandFixture.now.advanced(by: .seconds(-3 * 86_400))
    folder.repository = repository
    facts.folders = [folder]
    return facts
  }

  private static func findings(_ facts: DoctorFacts) -> [Finding] {
    Diagnosis(facts).sections.flatMap(\.findings)
  }

  @Test func `finds nothing to mend where all is well`() {
    let findings = Self.findings(Self.well())
    #expect(findings.allSatisfy { $0.severity == .ok && $0.mend.isEmpty })
    #expect(
      findings.map(\.subject) == [
        "watches", "instances", "queue", "clock", "journal", "configuration", "daemon", "folder",
        "protection", "repository", "verification", "abilities", "space",
      ])
    #expect(findings == Self.findings(Self.well()), "the same facts, the same findings")
  }

  /// Something bad: what it changes, and what is found then.
  struct Case: Sendable, CustomTestStringConvertible {
    let name: String
    let change: @Sendable (inout DoctorFacts) -> Void
    let severity: Finding.Severity
    let subject: String
    let words: String
    var mend: [String] = []

    var testDescription: String { name }
  }

  private static func repository(
    _ change: @escaping @Sendable (inout RepositoryFacts) -> Void
  ) -> @Sendable (inout DoctorFacts) -> Void {
    { facts in
      guard var repository = facts.folders[0].repository else { return }
      change(&repository)
      facts.folders[0].repository = repository
    }
  }

  private static func status(
    _ state: FolderStatus.State, _ reason: String, phase: FolderStatus.Phase = .idle
  ) -> @Sendable (inout DoctorFacts) -> Void {
    { facts in
      facts.folders[0].status?.state = state
      facts.folders[0].status?.reasons = [reason]
      facts.folders[0].status?.phase = phase
    }
  }

  private static let watchMend = [
    "sysctl -w fs.inotify.max_user_watches=1048576",
    "echo fs.inotify.max_user_watches=1048576 >>/etc/sysctl.d/60-dtm.conf",
  ]

  static let cases: [Case] = [
    Case(
      name: "more directories than watches", change: { $0.limits?.maxWatches = 2500 },
      severity: .error, subject: "watches", words: "found by scans only", mend: watchMend),
    Case(
      name: "others use the watches", change: { $0.usage?.watches = 1_048_576 },
      severity: .warning, subject: "watches", words: "few are left",
      mend: [
        "sysctl -w fs.inotify.max_user_watches=2097152",
        "echo fs.inotify.max_user_watches=2097152 >>/etc/sysctl.d/60-dtm.conf",
      ]),
    Case(
      name: "more directories than are watched",
      change: { facts in
        facts.limits?.maxWatches = 8192
        facts.folders[0].directories = 9000
      }, severity: .error, subject: "watches", words: "9,000 needed", mend: watchMend),
    Case(
      name: "no instance left",
      change: { facts in
        facts.limits?.maxInstances = 12
        facts.folders[0].status?.watchedDirectories = 0
      }, severity: .error, subject: "instances", words: "without one",
      mend: [
        "sysctl -w fs.inotify.max_user_instances=1024",
        "echo fs.inotify.max_user_instances=1024 >>/etc/sysctl.d/60-dtm.conf",
      ]),
    Case(
      name: "a short queue", change: { $0.limits?.maxQueuedEvents = 1000 }, severity: .warning,
      subject: "queue", words: "a scan of the whole folder",
      mend: [
        "sysctl -w fs.inotify.max_queued_events=16384",
        "echo fs.inotify.max_queued_events=16384 >>/etc/sysctl.d/60-dtm.conf",
      ]),
    Case(
      name: "limits that can't be read", change: { $0.limits = nil }, severity: .note,
      subject: "watches", words: "can't be read"),
    Case(
      name: "a clock that went back",
      change: repository { $0.newestSnapshot = CommandFixture.now.advanced(by: .seconds(7200)) },
      severity: .error, subject: "clock", words: "2 h behind the newest snapshot of lake",
      mend: ["timedatectl set-ntp true"]),
    Case(
      name: "data that nobody ever verified", change: repository { $0.lastVerified = nil },
      severity: .note, subject: "verification", words: "nobody has read",
      mend: ["dtm -C /srv/data/lake verify --all --read-data"]),
    Case(
      name: "data that nobody has verified for long",
      change: repository {
        $0.lastVerified = CommandFixture.now.advanced(by: .seconds(-40 * 86_400))
      }, severity: .note, subject: "verification", words: "it is time to do so again",
      mend: ["dtm -C /srv/data/lake verify --all --read-data"]),
    Case(
      name: "a clock that nothing keeps right", change: { $0.isClockSynchronized = false },
      severity: .note, subject: "clock", words: "nothing keeps it right",
      mend: ["timedatectl set-ntp true"]),
    Case(
      name: "no journal", change: { $0.hasJournal = false }, severity: .note, subject: "journal",
      words: "no journald"),
    Case(
      name: "a bad configuration",
      change: { $0.configurationErrors = ["/etc/dtm/dtmd.json:1:3: no key \"x\""] },
      severity: .error, subject: "configuration", words: "dtmd.json:1:3",
      mend: ["dtm config check"]),
    Case(
      name: "nothing configured", change: { $0.folders = [] }, severity: .note,
      subject: "configuration", words: "names no folder", mend: ["dtm protect DIR"]),
    Case(
      name: "no daemon", change: { $0.daemon = .notRunning(reason: "nobody listens") },
      severity: .error, subject: "daemon", words: "not running",
      mend: ["systemctl enable --now dtmd"]),
    Case(
      name: "no daemon of a user",
      change: { facts in
        facts.user = 1000
        facts.daemon = .notRunning(reason: "nobody listens")
      }, severity: .error, subject: "daemon", words: "not running",
      mend: ["systemctl --user enable --now dtmd"]),
    Case(
      name: "a daemon that nobody needs",
      change: { facts in
        facts.folders = []
        facts.daemon = .notRunning(reason: "nobody listens")
      }, severity: .note, subject: "daemon", words: "not running"),
    Case(
      name: "an older daemon",
      change: { $0.daemon = .running(version: "0.0.9", pid: 1, socket: "/s") },
      severity: .warning, subject: "daemon", words: "0.0.9 runs, this is",
      mend: ["systemctl restart dtmd"]),
    Case(
      name: "a daemon that hangs", change: { $0.daemon = .failing(reason: "no answer") },
      severity: .error, subject: "daemon", words: "does not answer as it should",
      mend: ["systemctl restart dtmd"]),
    Case(
      name: "a folder that is gone", change: { $0.folders[0].place = .missing },
      severity: .error, subject: "folder", words: "nothing at its path",
      mend: ["dtm -C /srv/data/lake restore"]),
    Case(
      name: "a folder that is a file", change: { $0.folders[0].place = .notDirectory },
      severity: .error, subject: "folder", words: "no directory"),
    Case(
      name: "a folder that can't be read",
      change: { $0.folders[0].place = .unreadable(.permissionDenied) }, severity: .error,
      subject: "folder", words: "can't be looked at", mend: ["ls -ld /srv/data/lake"]),
    Case(
      name: "a network file system",
      change: { $0.folders[0].fileSystem = FileSystemType(magic: 0x6969) }, severity: .warning,
      subject: "folder", words: "nfs, 3,000 directories"),
    Case(
      name: "no leases", change: { $0.folders[0].hasLeases = false }, severity: .note,
      subject: "folder", words: "no lease"),
    Case(
      name: "a paused folder", change: status(.paused, "held until noon"), severity: .warning,
      subject: "protection", words: "held until noon", mend: ["dtm -C /srv/data/lake resume"]),
    Case(
      name: "a degraded folder", change: status(.degraded, "a file never held still"),
      severity: .warning, subject: "protection", words: "never held still", mend: ["dtmd status"]),
    Case(
      name: "an unprotected folder", change: status(.unprotected, "the disk is full"),
      severity: .error, subject: "protection", words: "the disk is full", mend: ["dtmd status"]),
    Case(
      name: "a folder that the unit hides",
      change: status(.unprotected, "there is nothing", phase: .offline), severity: .error,
      subject: "protection", words: "the daemon sees none",
      mend: [
        "mkdir -p /etc/systemd/system/dtmd.service.d",
        "printf '[Service]\\nPrivateTmp=%s\\n' no >/etc/systemd/system/dtmd.service.d/lake.conf",
        "systemctl daemon-reload; systemctl restart dtmd",
      ]),
    Case(
      name: "a folder that the unit hides from the start",
      change: status(.unprotected, "there is no folder at /tmp/x: nothing is recorded"),
      severity: .error, subject: "protection", words: "the daemon sees none",
      mend: [
        "mkdir -p /etc/systemd/system/dtmd.service.d",
        "printf '[Service]\\nPrivateTmp=%s\\n' no >/etc/systemd/system/dtmd.service.d/lake.conf",
        "systemctl daemon-reload; systemctl restart dtmd",
      ]),
    Case(
      name: "a repository that the unit does not let it write",
      change: status(.unprotected, "can't write: Read-only file system"), severity: .error,
      subject: "protection", words: "Read-only",
      mend: [
        "mkdir -p /etc/systemd/system/dtmd.service.d",
        "printf '[Service]\\nReadWritePaths=%s\\n' /var/lib/dtm/lake >/etc/systemd/system/dtmd.service.d/lake.conf",
        "systemctl daemon-reload; systemctl restart dtmd",
      ]),
    Case(
      name: "a folder that the daemon does not know", change: { $0.folders[0].status = nil },
      severity: .error, subject: "protection", words: "in the configuration",
      mend: ["dtmd reload"]),
    Case(
      name: "a folder that nobody protects",
      change: { facts in
        facts.folders[0].status = nil
        facts.folders[0].isConfigured = false
      }, severity: .note, subject: "protection", words: "only dtm snapshot",
      mend: ["dtm protect /srv/data/lake"]),
    Case(
      name: "a path that a shell would take apart",
      change: {
        $0.folders[0] = FolderFacts(
          name: "l", path: "/my lake", isConfigured: true, place: .missing)
      }, severity: .error, subject: "folder", words: "nothing at its path",
      mend: ["dtm -C '/my lake' restore"]),
    Case(
      name: "no repository", change: { $0.folders[0].repository = nil }, severity: .error,
      subject: "repository", words: "has none", mend: ["dtm init /srv/data/lake"]),
    Case(
      name: "a repository that is gone", change: repository { $0.condition = .missing },
      severity: .error, subject: "repository", words: "none at /var/lib/dtm/lake"),
    Case(
      name: "a repository that can't be read",
      change: repository { $0.condition = .unreadable("permission denied") }, severity: .error,
      subject: "repository", words: "permission denied", mend: ["ls -ld /var/lib/dtm/lake"]),
    Case(
      name: "a damaged repository", change: repository { $0.condition = .damaged("a torn log") },
      severity: .error, subject: "repository", words: "a torn log",
      mend: [
        "dtm -C /srv/data/lake verify --all --read-data", "dtm -C /srv/data/lake repair",
      ]),
    Case(
      name: "a repository without a snapshot", change: repository { $0.newestSnapshot = nil },
      severity: .warning, subject: "repository", words: "no snapshot yet",
      mend: ["dtm -C /srv/data/lake snapshot"]),
    Case(
      name: "a repository in its folder", change: repository { $0.path = "/srv/data/lake/.dtm" },
      severity: .note, subject: "repository", words: "removes its history"),
    Case(
      name: "a repository for everyone", change: repository { $0.permissions = 0o755 },
      severity: .warning, subject: "permissions", words: "mode 0755",
      mend: ["chmod 700 /var/lib/dtm/lake"]),
    Case(
      name: "no shared maps", change: repository { $0.abilities?.mapsShared = false },
      severity: .warning, subject: "abilities", words: "maps no file shared"),
    Case(
      name: "whole seconds", change: repository { $0.abilities?.hasFineTimes = false },
      severity: .warning, subject: "abilities", words: "whole seconds"),
    Case(
      name: "little room", change: repository { $0.space?.freeBytes = 1 << 30 },
      severity: .warning, subject: "space", words: "1.0 GiB of 1.0 TiB free",
      mend: ["df -h /var/lib/dtm/lake"]),
    Case(
      name: "no room", change: repository { $0.space?.freeBytes = 1 << 20 }, severity: .error,
      subject: "space", words: "snapshots fail", mend: ["df -h /var/lib/dtm/lake"]),
    Case(
      name: "no inodes", change: repository { $0.space?.freeInodes = 100 }, severity: .error,
      subject: "inodes", words: "100 of 2,000,000", mend: ["df -i /var/lib/dtm/lake"]),
  ]

  @Test(arguments: cases) func `finds each thing that is bad, and how to mend it`(_ bad: Case) {
    var facts = Self.well()
    bad.change(&facts)
    let found = Self.findings(facts).first { $0.subject == bad.subject }
    #expect(found?.severity == bad.severity)
    #expect(found?.message.contains(bad.words) == true, "\(found?.message ?? "")")
    #expect(found?.mend == bad.mend)
    #expect(found?.message.hasSuffix(".") == false)
  }

  @Test func `leaves to the daemon to say why it protects nothing`() {
    var facts = Self.well()
    facts.folders[0].repository = nil
    facts.folders[0].status?.state = .unprotected
    facts.folders[0].status?.reasons = ["there is no repository at /r: dtm init makes one"]
    let bad = Self.findings(facts).filter { $0.severity != .ok }
    #expect(bad.map(\.subject) == ["protection"])
  }

  @Test func `its findings are as they were agreed, within 80 columns`() throws {
    var facts = Self.well()
    facts.limits?.maxQueuedEvents = 1000
    facts.folders[0].repository?.permissions = 0o755
    facts.folders.append(
      FolderFacts(name: "gone", path: "/srv/gone", isConfigured: true, place: .missing))
    let lines = FindingLines(style: Style(isColoured: false), width: nil, showsGood: true)
      .lines(Diagnosis(facts).sections)
    let text = lines.map { $0 + "\n" }.joined()
    try GoldenFile.expect(text, is: "doctor.txt")
    for line in lines where !line.contains("mend:") && !line.hasPrefix("           ") {
      #expect(DisplayWidth.columns(of: line) <= 80, "\(line)")
    }
  }

  @Test func `works without a daemon and without a folder, and changes nothing`() throws {
    try withFixture { fixture in
      let before = fixture.dtm("doctor", in: "")
      #expect(before.errors.isEmpty)
      #expect(before.output.contains("it names no folder"))
      #expect(before.output.contains("dtmd is not running"))

      try fixture.good("init")
      let here = fixture.dtm("doctor", "--json")
      let document = try here.json()
      let sections = try #require(document["sections"]?.array)
      #expect(sections.map { $0["name"]?.string } == ["machine", "daemon", "lake"])
      let lake = try #require(sections[2]["findings"]?.array)
      func finding(_ subject: String) -> JSONNode? {
        lake.first { $0["subject"]?.string == subject }
      }
      #expect(finding("folder")?["message"]?.string?.contains("1 directory") == true)
      #expect(finding("protection")?["severity"]?.string == "note")
      #expect(finding("protection")?["mend"]?.array?.first?.string == "dtm protect \(fixture.lake)")
      #expect(finding("repository")?["severity"]?.string == "note")
      #expect(finding("abilities")?["severity"]?.string == "ok")
      #expect(fixture.dtm("doctor", "--json").output == here.output)
      #expect(document["ok"]?.bool == (here.status == .done))

      // A configured folder that is gone, and a configuration that is wrong.
      let configuration = Array(
        #"{"folders": [{"name": "gone", "path": "\#(fixture.root)/gone"}]}"#.utf8)
      let file = try Descriptor.open(
        fixture.root.appending("dtmd.json"), [.writeOnly, .create, .truncate], mode: 0o644)
      try file.write(configuration, at: 0)
      let gone = fixture.dtm("doctor")
      #expect(gone.status == .negative)
      #expect(gone.output.contains("there is nothing at its path"))
      #expect(gone.output.contains("systemctl"))
      #expect(fixture.dtm("doctor", "-q").output.contains("  ok") == false)
      try file.write(Array("{{".utf8), at: 0)
      let wrong = fixture.dtm("doctor")
      #expect(wrong.status == .negative)
      #expect(wrong.output.contains("dtm config check"))
    }
  }
}
