import DTMSystem
import Glibc
import Testing

/// Programs that keep their files open, beneath a daemon that captures at least each second.
@Suite(.needsPrograms) struct `A writer that goes on` {
  private static let eachSecond = #"{"quiet": "100ms", "atMost": "1s", "minInterval": "100ms"}"#
  private let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("first", "x")
    try work.initialise()
  }

  /// Runs a Python program in the data folder.
  private func start(_ program: String) throws -> ChildProcess {
    try ChildProcess(
      ["/usr/bin/python3", "-c", program], in: work.lake, environment: work.environment)
  }

  @Test func `into a SQLite database in WAL mode leaves snapshots that say so, and a whole one`()
    throws
  {
    let daemon = try Daemon(work, settle: Self.eachSecond)
    let seconds = Programs.isLong ? 60 : 6
    let writer = try start(
      """
      import sqlite3, time
      db = sqlite3.connect('orders.db', isolation_level=None)
      db.execute('pragma journal_mode=wal')
      db.execute('pragma synchronous=off')
      db.execute('create table t(n integer primary key, payload blob, check(length(payload)=500))')
      began = time.monotonic(); n = 0
      while time.monotonic() < began + \(seconds):
          n += 1
          db.execute('insert into t values(?, randomblob(500))', (n,))
          rest = began + n / 200 - time.monotonic()
          if rest > 0: time.sleep(rest)
      print(n)
      db.close()
      """)
    let outcome = writer.finish(within: .seconds(seconds + 60))
    let rows = try #require(Int(outcome.text.filter(\.isNumber)), "\(outcome.errorText)")
    #expect(rows > seconds * 100)
    try work.expectCaptured(daemon)
    #expect(try count(in: "HEAD") == rows)
    let snapshots = try work.log()
    #expect(snapshots.count >= seconds / 2, "it was starved")
    var intact = 0
    var last = 0
    // From the oldest on.
    for snapshot in snapshots.reversed() {
      let id = try snapshot.id()
      let shown = try work.good("show", id, "--json").json()
      let hot = shown["hot"]?.array?.compactMap(\.string) ?? []
      let isFlagged = hot.contains("orders.db") || hot.contains("orders.db-wal")
      guard let found = try count(in: id) else {
        // Not whole: then it has to say so.
        #expect(isFlagged || shown["complete"]?.bool == false, "\(id) does not say so")
        continue
      }
      intact += 1
      if !isFlagged { #expect(found >= last, "rows were lost in \(id)") }
      last = max(last, found)
    }
    print("SQLite: \(rows) transactions, \(snapshots.count) snapshots, \(intact) whole")
    #expect(try daemon.folder()["overflows"]?.int == 0)
  }

  /// Rows of the database in a snapshot; nil when it is not whole, 0 when there is none yet.
  private func count(in snapshot: String) throws -> Int? {
    let out = work.path("restored")
    defer { _ = try? work.shellOutcome("rm -rf '\(out)'") }
    try work.good("restore", snapshot, "--to", out)
    if !Files.exists("\(out)/orders.db") { return 0 }
    let outcome = try ChildProcess(
      [
        "/usr/bin/python3", "-c",
        """
        import sqlite3
        db = sqlite3.connect('orders.db')
        assert db.execute('pragma integrity_check').fetchone() == ('ok',)
        has = db.execute("select count(*) from sqlite_master where name='t'").fetchone()[0]
        print(db.execute('select count(*) from t').fetchone()[0] if has else 0)
        """,
      ], in: out, environment: work.environment
    ).finish()
    return outcome.status == 0 ? Int(outcome.text.filter(\.isNumber)) : nil
  }

  @Test func `through a mapping is captured while it does, and as it was in the end`() throws {
    let daemon = try Daemon(work, settle: Self.eachSecond)
    let writer = try start(
      """
      import mmap, os, time
      fd = os.open('mapped', os.O_RDWR | os.O_CREAT)
      os.ftruncate(fd, 1 << 16)
      pages = mmap.mmap(fd, 1 << 16)
      os.close(fd)
      for n in range(1, 60):
          pages[0:4] = b'%4d' % n
          pages[-4:] = b'%4d' % n
          time.sleep(0.1)
      pages.close()
      """)
    let outcome = writer.finish()
    #expect(outcome.status == 0, "\(outcome.errorText)")
    try work.expectCaptured(daemon)
    var seen: Set<String> = []
    for snapshot in try work.log() {
      let cat = try work.dtm("cat", try snapshot.id(), "mapped")
      if cat.status == 0 { seen.insert(String(cat.text.prefix(4))) }
    }
    #expect(seen.contains("  59"))
    // No event told of the stores between.
    #expect(seen.count >= 3, "\(seen)")
  }

  @Test func `by appending for long is captured as it grows`() throws {
    let daemon = try Daemon(work, settle: Self.eachSecond)
    let writer = try start(
      """
      import time
      with open('log', 'w', buffering=1) as log:
          for n in range(500):
              log.write('line %d\\n' % n)
              time.sleep(0.01)
          time.sleep(1)
      """)
    #expect(writer.finish().status == 0)
    try work.expectCaptured(daemon)
    var sizes: Set<Int> = []
    for snapshot in try work.log() {
      let cat = try work.dtm("cat", try snapshot.id(), "log")
      if cat.status != 0 { continue }
      sizes.insert(cat.text.utf8.count)
      // Whole lines but the last, in order: never what the file did not hold.
      for (index, line) in cat.text.split(separator: "\n").enumerated().dropLast() {
        #expect(line == "line \(index)")
      }
    }
    #expect(sizes.count >= 4, "\(sizes)")
  }

  @Test func `into a file that gets its name late is captured with what came after`() throws {
    let daemon = try Daemon(work, settle: Self.eachSecond)
    let writer = try start(
      """
      import ctypes, os, time
      fd = os.open('.', os.O_TMPFILE | os.O_RDWR, 0o644)
      os.write(fd, b'before')
      libc = ctypes.CDLL(None, use_errno=True)
      # AT_FDCWD, AT_SYMLINK_FOLLOW
      done = libc.linkat(-100, b'/proc/self/fd/%d' % fd, -100, b'named', 0x400)
      assert done == 0, os.strerror(ctypes.get_errno())
      time.sleep(1.5)
      os.write(fd, b' and after')
      time.sleep(1.5)
      """)
    let outcome = writer.finish()
    #expect(outcome.status == 0, "\(outcome.errorText)")
    try work.expectCaptured(daemon)
    #expect(try work.good("cat", "HEAD", "named").text == "before and after")
    let contents = try work.log().compactMap { snapshot in
      let cat = try work.dtm("cat", try snapshot.id(), "named")
      return cat.status == 0 ? cat.text : nil
    }
    #expect(contents.contains("before"))
  }
}
