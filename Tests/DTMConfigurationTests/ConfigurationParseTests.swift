import DTMConfiguration
import DTMRules
import DTMSystem
import SystemPackage
import Testing

@Suite struct ConfigurationParseTests {
  private func parse(_ text: String) throws(ConfigurationErrors) -> Configuration {
    try Configuration.parse(Array(text.utf8), file: "/etc/dtm/dtmd.json")
  }

  @Test func `each word has its effect`() throws {
    let configuration = try parse(
      """
      {
        "$schema": "dtmd.schema.json",
        "daemon": { "socket": "/run/x/s.sock", "metricsFile": "/m/dtm.prom", "logLevel": "debug" },
        "defaults": { "settle": { "quiet": "3s" }, "ignore": ["*.tmp"] },
        "folders": [
          {
            "$schema": "x",
            "name": "lake",
            "path": "/srv/data/lake/",
            "repository": "/var/lib/dtm/lake",
            "ignore": ["scratch/", "!keep.tmp"], "together": [["*.shp", "*.shx"], ["l-*", "*.l"]],
            "settle": {
              "quiet": "250ms", "atMost": "1h30m", "minInterval": "1m", "openFiles": "capture"
            }
          },
          { "path": "/home/me/my data" }
        ]
      }
      """)
    #expect(
      configuration.daemon
        == DaemonConfiguration(
          socket: "/run/x/s.sock", metricsFile: "/m/dtm.prom", logLevel: .debug))
    #expect(
      configuration.folders[0]
        == FolderConfiguration(
          name: "lake", path: "/srv/data/lake", repository: "/var/lib/dtm/lake",
          ignore: ["*.tmp", "scratch/", "!keep.tmp"],
          together: [["*.shp", "*.shx"], ["l-*", "*.l"]].compactMap { FileGroup($0) },
          settle: SettlePolicy(
            quiet: .milliseconds(250), atMost: .seconds(5400), minInterval: .seconds(60),
            openFiles: .capture),
          source: ConfigurationSource(
            file: "/etc/dtm/dtmd.json", line: 6, column: 5, isDropIn: false)))
    #expect(configuration.folders[0].together.count == 2)
    #expect(configuration.folders[1].name == "my data" && configuration.folders[1].together == [])
    #expect(configuration.folders[1].settle == SettlePolicy(quiet: .seconds(3)))
    #expect(configuration.folders[1].ignore == ["*.tmp"])
    #expect(configuration.folders[1].repository == nil)
    #expect(configuration.files == ["/etc/dtm/dtmd.json"])
    // What is shown of it, with every default, reads back as the same.
    var again = try Configuration.parse(configuration.bytes, file: "/etc/dtm/dtmd.json")
    for index in again.folders.indices {
      again.folders[index].source = configuration.folders[index].source
    }
    #expect(again == configuration)
  }

  @Test func `an empty object is the built-in values`() throws {
    #expect(try parse("{}") == Configuration(files: ["/etc/dtm/dtmd.json"]))
    #expect(DaemonConfiguration() == DaemonConfiguration(socket: nil, logLevel: .info))
    #expect(
      SettlePolicy()
        == SettlePolicy(
          quiet: .seconds(2), atMost: .seconds(300), minInterval: .seconds(10), openFiles: .wait))
  }

  @Test func `null is the same as leaving out where a value may be absent`() throws {
    let configuration = try parse(
      #"{"daemon": {"socket": null, "metricsFile": null}, "folders": [{"path": "/a", "repository": null}]}"#
    )
    #expect(configuration.daemon.socket == nil && configuration.folders[0].repository == nil)
  }

  @Test func `an inherited time gives way to the one that is given`() {
    let base = SettlePolicy(quiet: .seconds(2), atMost: .seconds(300), minInterval: .seconds(10))
    for (given, quiet, atMost, minInterval) in [
      (SettleOverrides(atMost: .seconds(5)), 2, 5, 5),
      (SettleOverrides(atMost: .seconds(1)), 1, 1, 1),
      (SettleOverrides(quiet: .seconds(400)), 400, 400, 10),
      (SettleOverrides(minInterval: .seconds(600)), 2, 600, 600),
      (SettleOverrides(quiet: .seconds(1), atMost: .seconds(900)), 1, 900, 10),
      (SettleOverrides(), 2, 300, 10),
    ] {
      #expect(
        given.applied(to: base)
          == SettlePolicy(
            quiet: .seconds(quiet), atMost: .seconds(atMost), minInterval: .seconds(minInterval)))
    }
  }

  @Test func `folders beside each other, and a repository in its own dtm directory, are fine`()
    throws
  {
    let configuration = try parse(
      """
      {"folders": [
        {"path": "/a", "repository": "/a/.dtm"}, {"path": "/ab"},
        {"path": "/b", "repository": "/r/b"}, {"path": "/c", "repository": "/r/bc"}
      ]}
      """)
    #expect(configuration.folders.map(\.name) == ["a", "ab", "b", "c"])
    #expect(configuration.folder(holding: "/ab/x/y")?.name == "ab")
    #expect(configuration.folder(holding: "/a")?.name == "a")
    #expect(configuration.folder(holding: "/a/../b/x")?.name == "b")
    #expect(configuration.folder(holding: "/abc") == nil)
    #expect(configuration.folder(named: "c")?.path == "/c")
  }
}
