import DTMControl
import DTMDaemon
import DTMFolder
import DTMRepository
import DTMRules
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Ordinary work that removes and rewrites much, and damage: the guard has to tell them apart.
@Suite struct `The guard of a folder` {
  /// A folder whose snapshots come when the test asks.
  private struct Field {
    let fixture: RealFixture
    let service: FolderService

    init(_ script: String) throws {
      fixture = try RealFixture()
      try Field.run(script, in: fixture.lake)
      service = try fixture.start(
        settle: SettlePolicy(
          quiet: .seconds(3600), atMost: .seconds(86_400), minInterval: .zero))
      try snapshot()
      // Its first look is over: what comes is captured when it is asked for, and never in its midst.
      let service = service
      try #require(
        eventually(within: .seconds(60)) {
          service.status.state == .protected && service.status.phase == .idle
        }, "\(service.status.reasons)")
    }

    func step(_ script: String) throws {
      try Field.run(script, in: fixture.lake)
      try snapshot()
    }

    func snapshot(kind: String? = nil) throws {
      let answer = Answer<Result<DTMControl.SnapshotOutcome, DaemonFault>>()
      var request = DTMControl.SnapshotRequest(folder: "lake")
      request.kind = kind
      service.snapshot(request, user: 0) { answer.give($0) }
      _ = try answer.wait(within: .seconds(60)).get()
    }

    func history() throws -> History {
      try History(Repository(at: fixture.repository), folder: fixture.id)
    }

    var alarms: [GuardRecord] {
      get throws { try history().guardRecords(at: SystemTimeSource().now()) }
    }

    /// Files that snapshots after the first one, up to the second, modified or removed; what they were taken
    /// for.
    func touched(
      from first: ObjectID, to last: ObjectID
    ) throws -> (count: Int, triggers: [String]) {
      var (count, triggers) = (0, [String]())
      var isFound = false
      try history().forEachAncestor(of: last) { known in
        isFound = known.id == first
        if isFound { return false }
        let counts = known.snapshot.counts
        count += counts.modified + counts.removed
        triggers.append("\(known.snapshot.trigger): \(counts.modified), \(counts.removed)")
        return true
      }
      #expect(isFound, "\(first) is not before \(last)")
      return (count, triggers)
    }

    static func run(_ script: String, in directory: FilePath) throws {
      let text = "set -e; cd '\(directory.string)'; \(Self.library)\n\(script)"
      let status = try Command.status(["/bin/bash", "-c", text])
      try #require(status == 0, "\(script): \(status)")
    }

    /// Functions that make files.
    private static let library = #"""
      export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null
      git() { command git -c user.name=t -c user.email=t@t -c init.defaultBranch=main -c gc.auto=0 "$@"; }
      # files DIR SUFFIX COUNT WORD: text files of about a kilobyte.
      files() { mkdir -p "$1"; for i in $(seq "$3"); do
        for l in 1 2 3 4 5 6 7 8; do echo "$4,$i,$l,some text that stands in a table of orders"; done \
          >"$1/part-$i.$2"; done; }
      # packed DIR COUNT: gzip files, whose bytes look like noise.
      packed() { mkdir -p "$1"; for i in $(seq "$2"); do
        head -c 1500 /dev/urandom | gzip -n >"$1/part-$i.parquet.gz"; done; }
      encrypt() { local length=$(stat -c %s "$1"); head -c "$length" /dev/urandom >"$1"; }
      """#
  }

  static let ordinary: [(name: String, before: String, steps: [String])] = [
    (
      "a first fill and an archive that is unpacked", "true",
      [
        "files a csv 300 x",
        "packed b 300; tar cf /tmp/dtm-guard-$$.tar a b; mkdir c; tar xf /tmp/dtm-guard-$$.tar -C c; tar xf /tmp/dtm-guard-$$.tar; rm /tmp/dtm-guard-$$.tar",
      ]
    ),
    (
      "a work tree of git goes to another branch and back",
      """
      git init -q; files src c 250 main; files docs md 50 docs; git add .; git commit -qm a
      git checkout -qb other; git rm -rq src; files lib py 40 other; for f in docs/*; do echo new >$f; done
      git add .; git commit -qm b; git checkout -q main
      """,
      [
        "git checkout -q other", "git checkout -q main",
        "git checkout -q --orphan empty; git rm -rqf .; git commit -q --allow-empty -m e",
        "git checkout -q main",
      ]
    ),
    (
      "a work tree of git beneath a directory is reset",
      """
      mkdir w; cd w; git init -q; files src c 200 one; git add .; git commit -qm a
      files src c 200 two; files more c 100 two; git add .; git commit -qm b
      """, ["cd w; git reset -q --hard HEAD~1", "cd w; git reset -q --hard HEAD@{1}"]
    ),
    ("all files are formatted", "files src c 300 x", ["sed -i 's/some/any/' src/*"]),
    (
      "a partition is overwritten under other names",
      "for p in 1 2; do files t/p=$p csv 200 x; done",
      ["rm t/p=1/*; for i in $(seq 200); do echo new $i >t/p=1/new-$i.csv; done"]
    ),
    (
      "a table is overwritten under the same names", "files t csv 300 x; packed u 300",
      ["files t csv 300 y; packed u 300"]
    ),
    (
      "a table is overwritten with fewer files", "files t csv 300 x",
      ["rm t/*; files new csv 300 y; cat new/* >t/all-1.csv; rm -r new"]
    ),
    (
      "partitions roll: the oldest goes, the newest comes",
      "for p in 1 2 3; do files t/p=$p csv 150 x; done",
      ["rm -r t/p=1; files t/p=4 csv 150 y", "rm -r t/p=2; files t/p=5 csv 150 y"]
    ),
    (
      "a table is compacted and vacuumed at once", "mkdir -p t/_delta_log; files t parquet 250 x",
      [
        "cat t/part-* >t/compact-1.parquet; echo '{\"commitInfo\":{\"operation\":\"OPTIMIZE\"}}' >t/_delta_log/1.json; rm t/part-*"
      ]
    ),
    (
      "a table is vacuumed long after it was compacted",
      "mkdir -p t/_delta_log; files t parquet 250 x; cat t/part-* >t/compact-1.parquet",
      ["rm t/part-*; echo '{\"commitInfo\":{\"operation\":\"VACUUM END\"}}' >t/_delta_log/2.json"]
    ),
    (
      "logs rotate", "mkdir l; for i in $(seq 150); do echo start $i >l/app-$i.log; done",
      [
        "cd l; for i in $(seq 150); do echo more >>app-$i.log; mv app-$i.log app-$i.log.1; echo new $i >app-$i.log; done",
        "cd l; for i in $(seq 150); do gzip -n <app-$i.log.1 >app-$i.log.2.gz; mv app-$i.log app-$i.log.1; : >app-$i.log; done",
        "cd l; for i in $(seq 150); do echo x$i >>app-$i.log; cp app-$i.log app-$i.log.1; : >app-$i.log; done",
      ]
    ),
    (
      "everything moves into a directory", "files a csv 300 x; packed b 200",
      ["mkdir old; mv a b old/", "mv old/a z; mv old/b .; rmdir old"]
    ),
    (
      "checkpoints are written over and over", "packed c 150; files m json 20 x",
      ["packed c 150; files m json 20 y", "packed d 150; rm -r c; mv d c"]
    ),
    ("files are compressed at their place", "files a csv 300 x", ["gzip a/*"]),
    ("few files are removed", "files a csv 300 x; files b csv 80 x", ["rm -r b"]),
    ("empty files are removed", "mkdir a; touch a/{1..300}; files b csv 50 x", ["rm -r a"]),
  ]

  @Test(arguments: ordinary.indices)
  func `raises no alarm at ordinary work`(_ index: Int) throws {
    let work = Self.ordinary[index]
    let field = try Field(work.before)
    for step in work.steps {
      try field.step(step)
      // One that a busy machine took in the midst of a step shows what is removed and not written yet.
      let history = try field.history()
      let alarms = try field.alarms.filter {
        try history.snapshot($0.damaged).snapshot.trigger == "manual"
      }
      #expect(alarms.isEmpty, "\(work.name): \(step): \(alarms.map(\.reason))")
    }
    field.fixture.stop()
  }

  static let damage: [(name: String, before: String, step: String, word: String)] = [
    ("rm -rf of a part", "files a csv 150 x; files b csv 250 x", "rm -rf a", "gone or empty"),
    ("rm -rf of everything", "files a csv 150 x; packed b 100", "rm -rf a b", "gone or empty"),
    (
      "rm of many small files beside a large one",
      "files a csv 200 x; head -c 3000000 /dev/urandom >big",
      "rm -rf a", "gone or empty"
    ),
    (
      "rm while somebody else goes on writing", "files a csv 200 x; files in csv 100 x",
      "rm -rf a; files in/b txt 200 y; echo z >>in/part-1.csv", "gone or empty"
    ),
    (
      "rm -rf of a work tree's files",
      "git init -q; files src c 250 x; git add .; git commit -qm a",
      "rm -rf src; git status >/dev/null", "gone or empty"
    ),
    (
      "all is truncated", "files a csv 200 x; packed b 200", "truncate -s 0 a/* b/*",
      "gone or empty"
    ),
    (
      "all is filled with zeros", "files a csv 200 x",
      "for f in a/*; do head -c 400 /dev/zero >$f; done", "gone or empty"
    ),
    (
      "one message is written over all", "files a csv 200 x; packed b 50",
      "for f in a/* b/*; do echo 'your files are mine now, pay me at once' >$f; done",
      "gone or empty"
    ),
    ("text is encrypted", "files a csv 250 x", "for f in a/*; do encrypt $f; done", "noise"),
    (
      "half of all is encrypted", "files a csv 150 x; files b csv 150 y",
      "for f in a/*; do encrypt $f; done",
      "noise"
    ),
    ("packed data is encrypted", "packed a 250", "for f in a/*; do encrypt $f; done", "noise"),
    (
      "all is encrypted and renamed", "files a csv 150 x; packed b 100",
      "for f in a/* b/*; do encrypt $f; mv $f $f.locked; done", "gone or empty"
    ),
    (
      "all is encrypted into one directory", "files a csv 200 x",
      "mkdir .x; i=0; for f in a/*; do encrypt $f; i=$((i+1)); mv $f .x/$i; done", "gone or empty"
    ),
  ]

  @Test(arguments: damage.indices)
  func `raises an alarm at damage, pins what was before, and holds`(_ index: Int) throws {
    let work = Self.damage[index]
    let field = try Field(work.before)
    let good = try #require(field.history().head)
    try field.step(work.step)
    let alarm = try #require(field.alarms.first, "\(work.name)")
    // Where a snapshot came in the midst of the damage, it is good that has less than a tenth of it.
    let (spoilt, all) = (
      try field.touched(from: good, to: alarm.good),
      try field.touched(from: good, to: alarm.damaged)
    )
    #expect(spoilt.count * 10 < all.count, "\(spoilt) of \(all)")
    #expect(alarm.reason.contains(work.word), "\(alarm.reason)")
    let history = try field.history()
    #expect(history.isPinned(alarm.good))
    #expect(try history.retentionHold(at: SystemTimeSource().now()) == alarm)
    let status = field.service.status
    #expect(status.state == .degraded)
    #expect(status.reasons.first?.hasPrefix("the guard: \(alarm.reason)") == true)
    #expect(
      field.fixture.log.all.contains { $0.contains("event=guardAlarm") && $0.hasPrefix("critical") }
    )
    // It goes on, and nobody is told again.
    try field.step("echo more >more")
    #expect(try field.alarms == [alarm])
    field.fixture.stop()
  }

  @Test func `says nothing of what somebody goes back to`() throws {
    let field = try Field("files a csv 250 x")
    // As dtm restore does it: nothing else is captured meanwhile, such as what a start is still to look at.
    let begun = Answer<Result<Void, DaemonFault>>()
    field.service.ownWritesBegan("restore") { begun.give($0) }
    try begun.wait(within: .seconds(60)).get()
    try Field.run("rm -r a", in: field.fixture.lake)
    try field.snapshot(kind: "restore")
    field.service.ownWritesEnded("restore")
    #expect(try field.alarms.isEmpty)
    field.fixture.stop()
  }
}
