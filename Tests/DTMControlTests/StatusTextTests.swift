import DTMControl
import DTMSystem
import Testing

@Suite struct StatusTests {
  private static let now = Timestamp(seconds: 1_800_000_120)

  private static let snapshot = SnapshotSummary(
    id: "7f3a9c2e" + String(repeating: "0", count: 56), time: Timestamp(seconds: 1_800_000_000),
    message: "", files: 1, bytes: 1, basis: .events, isComplete: true)

  private static func status(_ folders: [FolderStatus], error: String? = nil) -> DaemonStatus {
    DaemonStatus(
      version: "1.0", pid: 812, uptimeInSeconds: 3900,
      configuration: ConfigurationStatus(
        files: ["/etc/dtm/dtmd.json"], loaded: Timestamp(seconds: 1_799_996_220), error: error),
      folders: folders)
  }

  @Test func `the text of a status is as the golden one`() {
    let folders = [
      FolderStatus(
        name: "lake", path: "/srv/data/lake", state: .protected, phase: .idle,
        lastSnapshot: Self.snapshot, basis: .events),
      FolderStatus(
        name: "models", path: "/srv/models", state: .degraded,
        reasons: ["the watch limit is reached; sysctl fs.inotify.max_user_watches=200000 mends it"],
        phase: .settling, dirty: 3,
        hot: [PathKey(bytes: Array("scratch.duckdb".utf8))],
        uncovered: (1...7).map { PathKey(bytes: Array("d\($0)".utf8)) }, missedChanges: 2,
        basis: .scan),
      FolderStatus(
        name: "old", path: "/mnt/old", state: .unprotected, reasons: ["the folder is not there"],
        phase: .offline, lastSnapshot: Self.snapshot, basis: .scan),
    ]
    let text = StatusText(now: Self.now, isColoured: false)
      .text(Self.status(folders, error: "/etc/dtm/dtmd.json:3:9: unknown key \"pth\""))
    #expect(
      text == """
        unprotected  3 folders, up 1 h 5 min (dtmd 1.0, pid 812)
          refused      /etc/dtm/dtmd.json:3:9: unknown key "pth"
                       the configuration that was running goes on; mend the file and reload
        lake  /srv/data/lake  at 7f3a9c2e, 2 min ago                            protected
        models  /srv/models  no snapshot yet                                    degraded
          degraded     the watch limit is reached; sysctl fs.inotify.max_user_watches=200000 mends it
          waiting      3 changes, until the folder is quiet
          hot          scratch.duckdb: open for writing when it was captured
          uncovered    d1: nothing vouches for it
          uncovered    d2: nothing vouches for it
          uncovered    d3: nothing vouches for it
          uncovered    d4: nothing vouches for it
          uncovered    d5: nothing vouches for it
                       and 2 more
          missed       2 changes that no event told, found by a scan
        old  /mnt/old  at 7f3a9c2e, 2 min ago                                   unprotected
          unprotected  the folder is not there
          waiting      for the folder to come back

        """)
  }

  @Test func `a folder whose repository is not there waits for nothing else`() {
    var folder = FolderStatus(
      name: "lake", path: "/srv/data/lake", state: .unprotected,
      reasons: ["there is no repository"], phase: .scanning, basis: .scan)
    let text = StatusText(now: Self.now, isColoured: false)
    #expect(text.lines(folder).last == "  unprotected  there is no repository")
    folder.watchedDirectories = 1
    #expect(text.lines(folder).last == "  waiting      everything is being looked at")
  }

  @Test func `a daemon without folders says how to add one`() {
    let text = StatusText(now: Self.now, isColoured: true).text(Self.status([]))
    #expect(
      text == """
        \u{1b}[32mprotected\u{1b}[0m  0 folders, up 1 h 5 min (dtmd 1.0, pid 812)
          nothing      is configured yet; dtm protect DIR adds a folder

        """)
  }

  @Test func `the worst folder decides the state and the exit status`() {
    func folder(_ state: FolderStatus.State) -> FolderStatus {
      FolderStatus(name: "f", path: "/f", state: state, phase: .idle, basis: .events)
    }
    func exit(_ states: [FolderStatus.State], error: String? = nil) -> Int32 {
      StatusExit(Self.status(states.map(folder), error: error).state).rawValue
    }
    #expect(exit([]) == 0)
    #expect(exit([.protected]) == 0)
    #expect(exit([.protected], error: "bad") == 1)
    #expect(exit([.protected, .degraded]) == 1)
    #expect(exit([.paused, .protected]) == 1)
    #expect(exit([.degraded, .unprotected, .protected]) == 2)
    #expect(StatusExit.notRunning.rawValue == 3)
  }

  @Test func `the JSON of a status has the contract's keys in order`() throws {
    var writer = JSONWriter()
    Self.status([
      FolderStatus(
        name: "lake", path: "/srv/lake", state: .protected, phase: .idle,
        lastSnapshot: Self.snapshot, basis: .events)
    ]).writeJSON(&writer)
    let text = String(decoding: writer.bytes, as: UTF8.self)
    #expect(
      text == #"""
        {"running":true,"version":"1.0","pid":812,"configuration":{"files":["/etc/dtm/dtmd.json"],"loaded":"2027-01-15T06:57:00.000000Z","error":null},"uptimeSeconds":3900.0,"state":"protected","folders":[{"name":"lake","path":"/srv/lake","state":"protected","reasons":[],"phase":"idle","lastSnapshot":{"id":"7f3a9c2e00000000000000000000000000000000000000000000000000000000","time":"2027-01-15T08:00:00.000000Z","message":"","files":1,"bytes":1,"basis":"events","complete":true},"dirty":0,"watchedDirectories":0,"overflows":0,"missedChanges":0,"lateChanges":0,"basis":"events","pausedUntil":null,"hotCount":0,"uncoveredCount":0,"hot":[],"uncovered":[]}]}
        """#)
  }

  @Test func `a daemon that does not run is said in JSON too`() throws {
    let node = try JSONNode(parsing: StatusExit.notRunningJSON())
    #expect(node["running"]?.bool == false)
    #expect(node["folders"]?.array?.isEmpty == true)
  }
}
