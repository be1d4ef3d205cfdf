import DTMSystem
import Glibc
import Testing

/// Pipelines as they are written: the libraries' own way of putting tables and checkpoints in place.
@Suite(.needsPrograms, .serialized) struct `Tables of real writers` {
  private let work: Workspace

  init() throws {
    work = try Workspace()
    try work.write("first", "x")
    try work.good("init", "--repository", work.path("repository"), "--no-first-snapshot")
  }

  /// Runs a Python program in the data folder, or in the directory given. It ends without what libraries do
  /// at the end of a process: some abort there.
  @discardableResult
  private func run(_ python: String, _ program: String, in directory: String? = nil) throws
    -> String
  {
    let outcome = try ChildProcess(
      [python, "-c", program + "\nimport os, sys; sys.stdout.flush(); os._exit(0)"],
      in: directory ?? work.lake, environment: work.environment
    ).finish(within: .seconds(120))
    try #require(outcome.status == 0, "\(outcome.errorText)")
    return outcome.text
  }

  @Test func `200 partitions of pyarrow and _SUCCESS last are one boundary that holds all`() throws
  {
    guard let python = PythonWriters.interpreter else { return }
    let daemon = try work.daemon(rules: #"{"name": "done", "on": {"marker": "**/_SUCCESS"}}"#)
    let writing = """
      import pyarrow as pa, pyarrow.parquet as pq
      table = pa.table({'part': [n % 200 for n in range(20000)], 'n': list(range(20000))})
      pq.write_to_dataset(table, 'sales', partition_cols=['part'])
      open('sales/_SUCCESS', 'w').close()
      """
    try run(python, writing)
    let found = try work.fired(1)
    #expect(found.count == 1)
    let snapshot = try #require(found.first)
    #expect(snapshot["complete"]?.bool == true)
    try work.good("restore", snapshot.id(), "--to", work.path("out"))
    let reading = """
      import glob, os, pyarrow.parquet as pq
      table = pq.read_table('sales')
      print(len(glob.glob('sales/part=*/*.parquet')), sum(table['n'].to_pylist()),
            os.path.exists('sales/_SUCCESS'))
      """
    #expect(try run(python, reading, in: work.path("out")) == "200 199990000 True\n")
    // Whatever else fired would be recorded before it.
    try work.snapshot()
    #expect(try work.fired(2, within: .milliseconds(1)).count == 1)
    #expect(daemon.stop() == 0)
  }

  @Test func `each version of a Delta table comes back, and what was vacuumed or lost too`() throws
  {
    guard let python = PythonWriters.interpreter else { return }
    let daemon = try work.daemon(
      rules: #"""
        {"name": "delta", "on": {"marker": "**/_delta_log/*.json"},
          "labels": {"table": "{dir.dir.name}", "version": "{stem}"}}
        """#)
    let writing = """
      import pyarrow as pa
      from deltalake import write_deltalake
      for version in range(6):
          write_deltalake('orders', pa.table({'version': [version] * 1000, 'n': list(range(1000))}),
                          mode='append' if version % 2 else 'overwrite')
      """
    try run(python, writing)
    let found = try work.fired(6, of: "delta")
    let versions = found.compactMap { $0["labels"]?["version"]?.string }
    #expect(Set(versions) == Set((0..<6).map { "0000000000000000000\($0)" }))
    for snapshot in found { #expect(snapshot["labels"]?["table"]?.string == "orders") }
    // What the versions before hold is deleted by it, and one file more is lost.
    let spoiling = """
      import os
      from deltalake import DeltaTable
      table = DeltaTable('orders')
      gone = table.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
      lost = [name for name in sorted(os.listdir('orders')) if name.endswith('.parquet')][0]
      os.remove('orders/' + lost)
      try:
          table.to_pyarrow_table()
          print('it can be read')
      except Exception:
          print(len(gone), lost)
      """
    let spoilt = try run(python, spoiling).split(whereSeparator: { " \n".contains($0) })
    try #require(spoilt.count == 2, "\(spoilt)")
    #expect(spoilt[0] == "4")
    try work.good("restore", "version=00000000000000000005", "orders/\(spoilt[1])")
    let reading = """
      from deltalake import DeltaTable
      print(DeltaTable('orders').to_pyarrow_table().num_rows)
      """
    #expect(try run(python, reading) == "2000\n")
    // And the whole table of any version, as its readers see it. The writer does not wait for the daemon:
    // a snapshot holds all of its version, and may hold what was written until it was taken.
    for (version, rows) in zip(0..., [1000, 2000, 1000, 2000, 1000, 2000]) {
      let directory = work.path("version-\(version)")
      try work.good("restore", "version=0000000000000000000\(version)", "--to", directory)
      let readingVersion = """
        from deltalake import DeltaTable
        print(DeltaTable('orders').version() >= \(version))
        print(DeltaTable('orders', version=\(version)).to_pyarrow_table().num_rows)
        """
      #expect(
        try run(python, readingVersion, in: directory) == "True\n\(rows)\n", "version \(version)")
    }
    #expect(daemon.stop() == 0)
  }

  @Test func `a table that pandas cut off comes back byte for byte`() throws {
    guard let python = PythonWriters.interpreter else { return }
    let daemon = try Daemon(work)
    let writing = """
      import pandas, sys
      frame = pandas.DataFrame({'n': range(50000), 'text': ['row %d' % n for n in range(50000)]})
      frame.to_csv('orders.csv', index=False)
      """
    try run(python, writing)
    try work.good("wait", "--timeout", "30s")
    let good = try work.shell("sha256sum lake/orders.csv; stat -c '%a %y' lake/orders.csv")
    // The job opens the table to write it anew, and dies after a few rows.
    let dying = """
      import os, pandas
      frame = pandas.read_csv('orders.csv')
      with open('orders.csv', 'w') as file:
          frame.head(10).to_csv(file, index=False)
          file.flush()
          os.kill(os.getpid(), 9)
      """
    let died = try ChildProcess(
      [python, "-c", dying], in: work.lake, environment: work.environment
    ).finish(within: .seconds(60))
    #expect(died.status != 0)
    try work.good("wait", "--timeout", "30s")
    #expect(try work.shell("wc -l <lake/orders.csv") == "11\n")
    try work.good("restore", "HEAD~1", "orders.csv")
    #expect(
      try work.shell("sha256sum lake/orders.csv; stat -c '%a %y' lake/orders.csv") == good)
    #expect(daemon.stop() == 0)
  }

  @Test func `a checkpoint whose writer is killed is never taken for a whole one`() throws {
    let daemon = try work.daemon(
      rules: #"""
        {"name": "saved", "on": {"movedIn": "checkpoints/*.pt"}, "labels": {"step": "{stem}"}}
        """#)
    // Written beside, renamed when whole; the last one is killed when it has written the half.
    let writing = """
      import os, hashlib
      os.makedirs('checkpoints')
      for step in range(4):
          state = hashlib.sha256(b'%d' % step).digest() * 65536
          with open('checkpoints/.saving', 'wb') as file:
              file.write(state[:len(state) // 2])
              file.flush()
              if step == 3: os.kill(os.getpid(), 9)
              file.write(state[len(state) // 2:])
              os.fsync(file.fileno())
          os.rename('checkpoints/.saving', 'checkpoints/%d.pt' % step)
      """
    let died = try ChildProcess(
      ["/usr/bin/python3", "-c", writing], in: work.lake, environment: work.environment
    ).finish(within: .seconds(60))
    #expect(died.status != 0)
    let found = try work.fired(3, of: "saved")
    try work.snapshot()
    #expect(try work.fired(4, of: "saved", within: .milliseconds(1)).count == 3)
    #expect(found.compactMap { $0["labels"]?["step"]?.string } == ["2", "1", "0"])
    for snapshot in found {
      let step = try #require(snapshot["labels"]?["step"]?.string)
      try work.good("restore", snapshot.id(), "--to", work.path("out-\(step)"))
      let check = """
        import hashlib
        print(open('checkpoints/\(step).pt', 'rb').read()
              == hashlib.sha256(b'\(step)').digest() * 65536)
        """
      #expect(try run("/usr/bin/python3", check, in: work.path("out-\(step)")) == "True\n")
    }
    #expect(daemon.stop() == 0)
  }
}
