import DTMSystem
import Glibc
import Testing

/// Other people's programs, writing into a protected folder.
@Suite(.needsPrograms, .serialized) struct `What other programs write` {
  private let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("first", "x")
    try work.initialise()
  }

  @Test func `stress-ng's file system stressors end in the folder as it is`() throws {
    guard Files.exists("/usr/bin/stress-ng") else {
      print("SKIPPED: stress-ng's file system stressors: there is no stress-ng")
      return
    }
    let daemon = try Daemon(
      work, settle: #"{"quiet": "100ms", "atMost": "2s", "minInterval": "500ms"}"#)
    // Those that work in a directory of theirs, each for a moment.
    let stressors = [
      "dentry", "dir", "dirdeep", "dirmany", "fallocate", "fpunch", "hdd", "link", "metamix",
      "open", "rename", "symlink", "touch", "unlink", "utime", "xattr", "inode-flags", "copy-file",
      "mmapmany", "filename", "iomix", "chmod", "sync-file", "fstat",
    ]
    let seconds = Programs.isLong ? 10 : 1
    var ran = 0
    for stressor in stressors {
      let outcome = try ChildProcess(
        [
          "stress-ng", "--\(stressor)", "1", "--timeout", "\(seconds)", "--temp-path", work.lake,
          "--hdd-bytes", "8M", "--fallocate-bytes", "8M", "--quiet",
        ], in: work.lake, environment: work.environment
      ).finish(within: .seconds(seconds + 60))
      // 2 and 3: the stressor failed, or has not what it needs here.
      if outcome.status == 0 { ran += 1 }
      try work.shell("echo \(stressor) >'\(work.lake)/mark'")
      try work.expectCaptured(daemon, stressor)
    }
    #expect(ran >= stressors.count / 2, "only \(ran) stressors ran")
    print("stress-ng: \(ran) stressors, \(try daemon.folder()["overflows"]?.int ?? -1) overflows")
  }

  @Test func `DuckDB, pandas and pyarrow's tables are captured as they are`() throws {
    guard let python = PythonWriters.interpreter else { return }
    let daemon = try Daemon(
      work, settle: #"{"quiet": "100ms", "atMost": "1s", "minInterval": "100ms"}"#)
    let program = """
      import duckdb, pandas, pyarrow as pa, pyarrow.dataset as ds, numpy, time
      db = duckdb.connect('sales.duckdb')
      db.execute('create table t as select range n, random() x from range(10000)')
      for round in range(6):
          frame = pandas.DataFrame({'n': numpy.arange(5000), 'part': numpy.arange(5000) % 7,
                                    'x': numpy.random.rand(5000), 'round': round})
          frame.to_parquet('table', partition_cols=['part', 'round'])
          frame.to_csv('frame.csv')
          ds.write_dataset(pa.Table.from_pandas(frame), 'dataset/%d' % round, format='parquet',
                           partitioning=['part'])
          db.execute('insert into t select range, random() from range(5000)')
          db.execute("copy t to 'copy.parquet'")
          time.sleep(0.3)
      time.sleep(1.5)
      db.close()
      """
    let writer = try ChildProcess(
      [python, "-c", program], in: work.lake, environment: work.environment)
    let outcome = writer.finish(within: .seconds(120))
    try #require(outcome.status == 0, "\(outcome.errorText)")
    try work.expectCaptured(daemon)
    let hot = try work.log().filter { snapshot in
      let shown = try work.good("show", try snapshot.id(), "--json").json()
      return shown["hot"]?.array?.contains { $0.string == "sales.duckdb" } ?? false
    }
    #expect(!hot.isEmpty, "the open database was said to be whole")
    try work.good("restore", "HEAD", "--to", work.path("out"))
    let check = try ChildProcess(
      [
        python, "-c",
        """
        import duckdb, pandas
        print(duckdb.connect('sales.duckdb').execute('select count(*) from t').fetchone()[0],
              len(pandas.read_parquet('table')))
        """,
      ], in: work.path("out"), environment: work.environment
    ).finish()
    #expect(check.text == "40000 30000\n", "\(check.errorText)")
  }
}
