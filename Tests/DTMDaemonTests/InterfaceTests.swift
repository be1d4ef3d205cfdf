import DTMControl
import DTMDaemon
import DTMSystem
import SystemPackage
import Testing

/// The interface that the daemon describes, held against what it takes and answers.
@Suite struct InterfaceConformanceTests {
  private let fixture: DaemonFixture
  private let interface: InterfaceChecker

  init() throws {
    fixture = try DaemonFixture()
    try fixture.waitUntilProtected()
    let reply = try fixture.client().call("org.varlink.service.GetInterfaceDescription") {
      $0.field("interface", "io.dtm.Daemon")
    }
    interface = try InterfaceChecker(try #require(reply["description"]?.string))
  }

  /// A call of each method that is answered well, by its parameters.
  private static let calls: [(method: String, parameters: String)] = [
    ("Status", "{}"), ("Status", #"{"folder":"lake"}"#),
    (
      "Snapshot",
      #"{"folder":"lake","message":"m","labels":{"a":"b"},"tag":"t","pin":true,"kind":"stage","ifChanged":false,"basis":"scan","time":"2026-01-02T03:04:05Z"}"#
    ),
    ("Snapshot", #"{"folder":"lake"}"#),
    ("Wait", #"{"folder":"lake","quietSeconds":0.01,"timeoutSeconds":20}"#),
    ("Announce", #"{"folder":"lake","operation":"restore","paths":["a"]}"#),
    ("Events", #"{"folder":"lake"}"#), ("Events", "{}"),
    ("Pause", #"{"folder":"lake","seconds":60}"#), ("Resume", #"{"folder":"lake"}"#),
    ("Pause", #"{"folder":"lake"}"#), ("Resume", #"{"folder":"lake"}"#),
    (
      "Stage",
      #"{"folder":"lake","event":"begin","stage":"s","pipeline":"p","runId":"r","attempt":2,"newAttempt":true,"labels":{"a":"b"},"message":"m","kind":"run","holder":"h","hold":true}"#
    ),
    ("Stage", #"{"folder":"lake","event":"ok","stage":""}"#),
    ("Metrics", "{}"), ("Reload", "{}"),
  ]

  private func ask(_ method: String, _ parameters: String) throws -> VarlinkReply {
    let stream = try UnixStream.connect(to: fixture.socket, limit: .seconds(5))
    let more = method == "Events" ? #","more":true"# : ""
    let text = #"{"method":"io.dtm.Daemon.\#(method)","parameters":\#(parameters)\#(more)}"#
    try stream.writeAll(Array(text.utf8) + [0], until: .after(.seconds(5)))
    var decoder = MessageDecoder()
    let deadline = Deadline.after(.seconds(30))
    while true {
      try #require(try stream.wait(for: .readable, until: deadline), "\(method) has no answer")
      guard let bytes = try stream.read(limit: 65536) else { continue }
      try #require(!bytes.isEmpty, "\(method) ends the connection")
      decoder.append(bytes)
      if let message = try decoder.next() { return try VarlinkReply(parsing: message) }
    }
  }

  @Test func `each method takes its parameters and answers with what the interface says`() throws {
    #expect(Set(Self.calls.map(\.method)) == Set(interface.methods.keys))
    for (name, parameters) in Self.calls {
      let method = try #require(interface.methods[name])
      let given = try JSONNode(parsing: Array(parameters.utf8))
      #expect(interface.differences(given, method.input, at: name).isEmpty, "the test's own call")
      let reply = try ask(name, parameters)
      #expect(reply.error == nil, "\(name) \(parameters): \(reply.error ?? "")")
      #expect(interface.differences(reply.parameters, method.output, at: name).isEmpty)
    }
  }

  @Test func `each parameter of the interface is known, and no other`() throws {
    for (name, method) in interface.methods {
      guard case .structure(let members) = method.input else { continue }
      for member in members {
        // Of another type than each may have.
        let reply = try ask(name, #"{"\#(member.name)":[[7]]}"#)
        #expect(reply.error == "org.varlink.service.InvalidParameter", "\(name).\(member.name)")
      }
      let reply = try ask(name, #"{"somethingElse":1}"#)
      #expect(reply.error == "org.varlink.service.InvalidParameter", "\(name)")
      #expect(reply.parameters["parameter"]?.string == "somethingElse", "\(name)")
    }
  }

  @Test func `every kind of event is in the interface's words`() throws {
    let words = DaemonInterface.description.split(separator: "\n")
      .filter { $0.hasPrefix("#   ") }
      .flatMap { line in
        line.dropFirst(4).prefix(while: { !$0.isNewline }).split(separator: " ").prefix(2)
          .map { $0.filter { $0 != "," } }
      }
    for kind in ControlEvent.Kind.allCases { #expect(words.contains(kind.rawValue), "\(kind)") }
    for alert in ControlEvent.Alert.allCases {
      #expect(DaemonInterface.description.contains(alert.rawValue), "\(alert)")
    }
    // With everything that an event may have, it is one of the interface.
    var event = ControlEvent(.snapshot, at: Timestamp(seconds: 1), folder: "l", path: "/l")
    event.version = "1"
    event.state = .paused
    event.phase = .idle
    event.reasons = ["r"]
    event.until = Timestamp(seconds: 2)
    event.snapshot = SnapshotSummary(
      id: "0", time: Timestamp(seconds: 1), message: "", files: 1, bytes: 1, basis: .events,
      isComplete: true)
    event.trigger = "quiet"
    event.rules = ["x"]
    event.changedEntries = 1
    event.storedBytes = 2
    event.duration = .milliseconds(3)
    event.operation = "restore"
    event.files = ["/f"]
    event.alert = .eventsLost
    event.reason = "r"
    event.count = 1
    let reply = try VarlinkReply(parsing: Array(event.reply().dropLast()))
    #expect(reply.continues)
    let method = try #require(interface.methods["Events"])
    #expect(interface.differences(reply.parameters, method.output, at: "Events").isEmpty)
    #expect(reply.parameters["event"]?.members?.count == 20)
    #expect(try !VarlinkReply(parsing: Array(event.reply(isLast: true).dropLast())).continues)
  }
}
