import DTMControl
import DTMSystem
import SystemPackage
import Testing

@Suite struct ControlEventTests {
  private static func event(_ kind: ControlEvent.Kind) -> ControlEvent {
    var event = ControlEvent(
      kind, at: Timestamp(seconds: 1_795_333_201, nanoseconds: 5000), folder: "lake", path: "/lake")
    event.reasons = ["a", "b"]
    event.until = Timestamp(seconds: 1_795_333_300)
    event.duration = .milliseconds(250)
    event.alert = .eventsLost
    event.count = 7
    return event
  }

  @Test func `events come back as they were written, those of a newer daemon are passed over`()
    throws
  {
    let strange = VarlinkReply.bytes(continues: true) { writer in
      writer.key("event")
      writer.object { writer in
        writer.field("kind", "moonrise")
        writer.field("time", "2026-11-24T00:00:00Z")
      }
    }
    let sent = ControlEvent.Kind.allCases.map(Self.event)
    let daemon = try ScriptedDaemon { _ in
      sent.dropLast().flatMap { $0.reply() + strange } + (sent.last?.reply(isLast: true) ?? [])
    }
    let client = try ControlClient(socket: daemon.path)
    var found: [ControlEvent] = []
    try client.events(until: .after(.seconds(20))) { event in
      found.append(event)
      return true
    }
    #expect(found == sent)
  }

  @Test func `who has heard enough stops, a fault and a silent daemon end it`() throws {
    let daemon = try ScriptedDaemon { _ in
      Self.event(.begin).reply() + Self.event(.state).reply()
    }
    var kinds: [ControlEvent.Kind] = []
    try ControlClient(socket: daemon.path).events(until: .after(.seconds(20))) { event in
      kinds.append(event.kind)
      return event.kind != .state
    }
    #expect(kinds == [.begin, .state])
    let silent = try ScriptedDaemon { _ in Self.event(.begin).reply() }
    let late = #expect(throws: ControlError.self) {
      try ControlClient(socket: silent.path)
        .events(until: .after(.milliseconds(50))) { _ in true }
    }
    #expect(late?.code == .timedOut)
    let refusing = try ScriptedDaemon { _ in VarlinkReply.bytes(fault: .noSuchFolder("x")) }
    let fault = #expect(throws: ControlError.self) {
      try ControlClient(socket: refusing.path).events(folder: "x") { _ in true }
    }
    #expect(fault?.fault == .noSuchFolder("x"))
  }

  @Test func `an event with a wrong member is malformed`() throws {
    for member in [#""time":"noon""#, #""time":"2026-01-01T00:00:00Z","state":"fine""#] {
      let text = #"{"parameters":{"event":{"kind":"state",\#(member)}},"continues":true}"#
      let daemon = try ScriptedDaemon { _ in Array(text.utf8) + [0] }
      let error = #expect(throws: ControlError.self) {
        try ControlClient(socket: daemon.path).events { _ in true }
      }
      #expect(error?.code == .malformed)
    }
  }
}
