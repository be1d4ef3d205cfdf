import DTMSystem
import Glibc
import Testing

@Suite(.needsPrograms) struct `The configuration check` {
  let work: Workspace

  init() throws { work = try Workspace() }

  private func check(_ text: String) throws -> [Outcome] {
    let path = work.path("c.json")
    try Files.write(path, Array(text.utf8))
    return [
      try work.dtm("config", "check", path, in: work.root),
      try work.dtmd("check-config", path),
    ]
  }

  @Test func `passes what is right`() throws {
    let text = """
      {"folders": [{"path": "\(work.lake)", "ignore": ["*.tmp"],
        "settle": {"quiet": "250ms", "atMost": "5m", "minInterval": "1s"}}]}
      """
    for outcome in try check(text) { #expect(outcome.status == 0, "\(outcome.errorText)") }
  }

  @Test(arguments: [
    ("{\n  \"folders\": [{ \"path\": \"/srv\", \"ignroe\": [] }]\n}", "c.json:2:", "ignore"),
    ("{\n\"folders\": [{ \"path\": 7 }]}", "c.json:2:", "path"),
    ("{ \"folders\": [ }", "c.json:1:", ""),
    (
      "{\"folders\": [{\"path\": \"/srv\", \"settle\": {\"quiet\": \"soon\"}}]}", "c.json:1:",
      "soon"
    ),
    ("{\"folders\": [],\n \"folders\": []}", "c.json:2:", "folders"),
    ("{\"folders\": [{\"path\": \"relative\"}]}", "c.json:1:", "relative"),
    ("{\"folders\": [{\"name\": \"x\"}]}", "c.json:1:", "path"),
  ])
  func `names file, line and what is wrong`(_ text: String, _ place: String, _ word: String) throws
  {
    for outcome in try check(text) {
      #expect(outcome.status == 78, "\(outcome.command): \(outcome.text)")
      #expect(outcome.errorText.contains(place), "\(outcome.errorText)")
      #expect(word.isEmpty || outcome.errorText.contains(word), "\(outcome.errorText)")
    }
  }

  @Test func `of a file that is not there fails`() throws {
    #expect(try work.dtm("config", "check", work.path("nosuch.json")).status != 0)
    #expect(try work.dtmd("check-config", work.path("nosuch.json")).status != 0)
  }

  @Test func `holds the daemon from starting half-configured`() throws {
    try Files.write(work.path("c.json"), Array("{\"folders\": [{\"pathh\": \"/srv\"}]}".utf8))
    let outcome = try work.dtmd("run", "--config", work.path("c.json"), "--socket", work.path("s"))
    #expect(outcome.status == 78)
    #expect(outcome.errorText.contains("c.json:1:"))
  }

  @Test(arguments: [
    (#"{"daemon": {"socket": "SOCKET"}, "folders": [{"pathh": "/srv"}]}"#, "dtmd.json:1:"),
    (#"{"daemon": {"socket": "SOCKET"}, "folders": ["#, "dtmd.json:1:"),
  ])
  func `that is wrong is what a reload says, though the socket stands in it`(
    text: String, place: String
  ) throws {
    try work.good("init", "--no-first-snapshot")
    work.environment["DTM_SOCKET"] = nil
    work.environment["DTM_CONFIG"] = work.path("dtmd.json")
    let socket = work.path("other")
    func write(_ text: String) throws {
      let bytes = Array(text.replacing("SOCKET", with: socket).utf8)
      try Files.write(work.path("dtmd.json"), bytes)
    }
    try write(#"{"daemon": {"socket": "SOCKET"}, "folders": [{"path": "\#(work.lake)"}]}"#)
    let daemon = try work.start("dtmd", ["run", "--log", "stderr"])
    try #require(daemon.waitForError("has started", within: .seconds(20)))
    try write(text)
    let outcome = try work.dtmd("reload")
    #expect(outcome.status == 78)
    #expect(outcome.errorText.contains(place), "\(outcome.errorText)")
    daemon.send(SIGTERM)
    #expect(daemon.finish().status == 0)
    #expect(try work.dtmd("reload").status == 78)
    #expect(try work.dtmd("status").status == 3)
  }
}
