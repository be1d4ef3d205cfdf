import DTMConfiguration
import DTMControl
import DTMDaemon
import DTMSystem
import SystemPackage
import Testing

@Suite struct MetricsTests {
  @Test(.enabled(if: PythonPackage.prometheus != nil, "pip can't get prometheus_client"))
  func `Prometheus' own parsers read what the daemon counts`() throws {
    let interpreter = try #require(PythonPackage.prometheus)
    let fixture = try DaemonFixture(folders: ["a", "b"])
    try fixture.waitUntilProtected()
    let client = try fixture.client()
    _ = try client.snapshot(SnapshotRequest(folder: "a"))
    _ = try client.snapshot(SnapshotRequest(folder: "a"))
    fixture.engines.state.update {
      $0.failures = [FolderEngineError(.failed, "a\"quote\\and\nline")]
    }
    _ = try? client.snapshot(SnapshotRequest(folder: "b"))
    _ = try client.pause(PauseRequest(folder: "a"))
    let text = try client.metrics()
    try fixture.directory.write("metrics", text)
    let script = """
      import json, sys
      from prometheus_client.openmetrics.parser import text_string_to_metric_families as om
      from prometheus_client.parser import text_string_to_metric_families as prom
      text = open(sys.argv[1]).read()
      families = list(om(text))
      # The older format's parser is what node_exporter's collector is like.
      assert sum(len(f.samples) for f in prom(text)) == sum(len(f.samples) for f in families)
      out = {}
      for f in families:
          assert f.documentation.endswith("."), f.name
          for s in f.samples:
              key = s.name + "".join(sorted(" %s=%s" % i for i in s.labels.items()))
              assert key not in out, key
              out[key] = s.value
      print(json.dumps(out))
      """
    let path = fixture.directory.path.appending("metrics").string
    let output = try Command.run([interpreter, "-c", script, path])
    let values = try JSONNode(parsing: Array(output.utf8))
    func value(_ name: String) -> Double? { values[name]?.double }
    #expect(value("dtm_build_info version=\(ProgramVersion.current)") == 1)
    #expect(value("dtm_snapshots_total folder=a trigger=start") == 1)
    #expect(value("dtm_snapshots_total folder=a trigger=manual") == 2)
    #expect(value("dtm_snapshots_total folder=b trigger=manual") == 0)
    #expect(value("dtm_snapshot_failures_total folder=a") == 0)
    #expect(value("dtm_snapshot_failures_total folder=b") == 1)
    #expect(value("dtm_folder_state dtm_folder_state=paused folder=a") == 1)
    #expect(value("dtm_folder_state dtm_folder_state=protected folder=a") == 0)
    #expect(value("dtm_folder_state dtm_folder_state=unprotected folder=b") == 1)
    #expect(value("dtm_snapshot_duration_seconds_count folder=a") == 3)
    #expect(value("dtm_snapshot_duration_seconds_bucket folder=a le=+Inf") == 3)
    #expect((value("dtm_snapshot_duration_seconds_sum folder=a") ?? 0) > 0)
    #expect(value("dtm_last_snapshot_files folder=a") == 1)
    #expect((value("dtm_last_snapshot_timestamp_seconds folder=a") ?? 0) > 1.7e9)
    #expect(value("dtm_watched_directories folder=a") == 1)
    #expect(value("dtm_missed_changes_total folder=a") == 0)
    #expect(value("dtm_configuration_refused") == 0)
    #expect((value("process_resident_memory_bytes") ?? 0) > 1_000_000)
    #expect((value("process_cpu_seconds_total") ?? 0) > 0)
    #expect((value("process_open_fds") ?? 0) > 3)
  }

  @Test func `without folders there is still a text with an end`() throws {
    let fixture = try DaemonFixture(folders: [])
    let text = try fixture.client().metrics()
    #expect(text.hasPrefix("# TYPE dtm_build info\n"))
    #expect(text.hasSuffix("\n# EOF\n"))
    #expect(!text.contains("folder"))
  }

  @Test func `a file of metrics follows what happens, and goes with the daemon`() throws {
    let directory = try TestDirectory()
    try directory.makeDirectory("lake")
    try directory.write("lake/first", "1")
    try directory.write("dtmd.json", "{}")
    let file = directory.path.appending("dtm.prom")
    func configure(_ file: FilePath?) throws {
      let metrics = file.map { "\"\($0)\"" } ?? "null"
      let folder = directory.path.appending("lake")
      try directory.write(
        "dtmd.json",
        #"{"daemon": {"metricsFile": \#(metrics)}, "folders": [{"name": "lake", "path": "\#(folder)"}]}"#
      )
    }
    func text(_ path: FilePath) -> String {
      (try? Descriptor.open(path, .readOnly).readToEnd())
        .map { String(decoding: $0, as: UTF8.self) } ?? ""
    }
    try configure(file)
    let socket = directory.path.appending("s")
    let daemon = try Daemon(
      options: DaemonOptions(
        configuration: .file(directory.path.appending("dtmd.json")), socket: socket),
      engines: FakeEngines(), logger: LogLines().logger(), notifier: ServiceNotifier { _ in })
    try daemon.start()
    #expect(
      eventually { text(file).contains(#"dtm_snapshots_total{folder="lake",trigger="start"} 1"#) })
    #expect(text(file).hasSuffix("# EOF\n"))
    #expect(try Descriptor.open(file, .path).status().permissions == 0o644)
    let client = try ControlClient(socket: socket)
    _ = try client.snapshot(SnapshotRequest(folder: "lake"))
    #expect(
      eventually { text(file).contains(#"dtm_snapshots_total{folder="lake",trigger="manual"} 1"#) })
    // A reload takes it elsewhere.
    let other = directory.path.appending("other.prom")
    try configure(other)
    _ = try client.reload()
    #expect(eventually { text(other).hasSuffix("# EOF\n") })
    #expect(text(file).isEmpty)
    daemon.stop()
    #expect(text(other).isEmpty)
  }

  @Test func `a name of the configuration is quoted`() throws {
    var text = OpenMetricsText()
    text.family("x", .gauge, help: "a\\b\nc \"d\".")
    text.sample("", [("folder", "a\"b\\c\nd")], 1)
    text.sample("", [], 0.25)
    #expect(
      text.finish() == """
        # TYPE x gauge
        # HELP x a\\\\b\\nc "d".
        x{folder="a\\"b\\\\c\\nd"} 1
        x 0.25
        # EOF

        """)
  }
}
