import DTMControl
import DTMSystem
import SystemPackage
import Testing

@Suite struct MessageDecoderTests {
  @Test(arguments: [UInt64.random(in: 0...UInt64.max), 1, 2])
  func `messages come out whole however the stream is split`(seed: UInt64) throws {
    print("seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let messages = (0..<300).map { _ in
      let length = Int.random(in: 0...2000, using: &generator)
      return (0..<length).map { _ in UInt8.random(in: 1...255, using: &generator) }
    }
    let stream = messages.reduce(into: [UInt8]()) { $0 += $1 + [0] }
    var decoder = MessageDecoder()
    var found: [[UInt8]] = []
    var rest = stream[...]
    while !rest.isEmpty {
      let piece = rest.prefix(Int.random(in: 1...3000, using: &generator))
      rest = rest.dropFirst(piece.count)
      decoder.append(Array(piece))
      while let message = try decoder.next() { found.append(message) }
    }
    #expect(found == messages)
    #expect(!decoder.hasPartialMessage)
  }

  @Test func `a message of the limit passes, one byte more does not`() throws {
    let limit = MessageDecoder.limitInBytes
    var decoder = MessageDecoder()
    decoder.append([UInt8](repeating: 7, count: limit))
    #expect(try decoder.next() == nil)
    #expect(decoder.hasPartialMessage)
    decoder.append([0])
    #expect(try decoder.next()?.count == limit)

    decoder = MessageDecoder()
    decoder.append([UInt8](repeating: 7, count: limit + 1))
    #expect(throws: ControlError.self) { try decoder.next() }

    decoder = MessageDecoder()
    decoder.append([UInt8](repeating: 7, count: limit + 1) + [0])
    #expect(throws: ControlError.self) { try decoder.next() }
  }
}

@Suite struct VarlinkMessageTests {
  @Test func `a call comes back as it was written`() throws {
    let bytes = VarlinkCall.bytes(method: "a.b.C", more: true, oneway: true) { writer in
      writer.field("text", "ä\u{0}\n")
      writer.field("number", 7)
    }
    #expect(bytes.last == 0)
    #expect(!bytes.dropLast().contains(0))
    let call = try VarlinkCall(parsing: Array(bytes.dropLast()))
    #expect(call.method == "a.b.C")
    #expect(call.more)
    #expect(call.oneway)
    #expect(call.parameters["text"]?.string == "ä\u{0}\n")
    #expect(call.parameters["number"]?.int == 7)
  }

  @Test func `a call without parameters has an empty object of them`() throws {
    for text in [#"{"method":"a.b.C"}"#, #"{"method":"a.b.C","parameters":null}"#] {
      let call = try VarlinkCall(parsing: Array(text.utf8))
      #expect(call.parameters.members?.isEmpty == true)
      #expect(!call.more)
      #expect(!call.oneway)
    }
  }

  @Test(arguments: [
    "", "{", "[]", "7", "null", #"{"parameters":{}}"#, #"{"method":7}"#,
    #"{"method":"a.b.C","parameters":[]}"#, #"{"method":"a.b.C","more":1}"#,
    #"{"method":"a.b.C","upgrade":true}"#, #"{"method":"a.b.C","method":"a.b.D"}"#,
    #"{"method":"a.b.C"} x"#,
  ])
  func `what is no call is refused`(text: String) {
    let error = #expect(throws: ControlError.self) {
      try VarlinkCall(parsing: Array(text.utf8))
    }
    #expect(error?.code == .malformed)
  }

  @Test(arguments: [UInt64.random(in: 0...UInt64.max), 3])
  func `a damaged call is refused or read, and never more than that`(seed: UInt64) {
    print("seed \(seed)")
    var generator = SeededGenerator(seed: seed)
    let whole = Array(
      VarlinkCall.bytes(method: "io.dtm.Daemon.Snapshot") { writer in
        writer.field("folder", "lake")
        writer.field("pin", true)
      }.dropLast())
    for _ in 0..<5000 {
      var bytes = whole
      for _ in 0..<Int.random(in: 1...4, using: &generator) {
        bytes[Int.random(in: 0..<bytes.count, using: &generator)] = .random(
          in: 0...255, using: &generator)
      }
      bytes.removeLast(Int.random(in: 0..<bytes.count, using: &generator))
      guard let call = try? VarlinkCall(parsing: bytes) else { continue }
      _ = try? DaemonCall(call)
    }
  }

  @Test func `each fault comes back as it was written`() throws {
    let faults: [DaemonFault] = [
      .noSuchFolder("lake"), .permissionDenied(reason: "no"), .busy(reason: "later"),
      .snapshotFailed(reason: "disk full", path: "a/b"), .snapshotFailed(reason: "x", path: nil),
      .configurationError(file: "/f", line: 3, column: 9, message: "m"),
      .interfaceNotFound("i"), .methodNotFound("m"), .methodNotImplemented("m"),
      .invalidParameter("p"), .expectedMore, .other(name: "com.example.Strange"),
    ]
    for fault in faults {
      let reply = try VarlinkReply(parsing: Array(VarlinkReply.bytes(fault: fault).dropLast()))
      let name = try #require(reply.error)
      #expect(DaemonFault(name: name, parameters: reply.parameters) == fault)
    }
  }

  @Test func `a known fault without its parameters is still a fault`() {
    let fault = DaemonFault(name: "io.dtm.Daemon.Busy", parameters: JSONNode(value: .object([])))
    #expect(fault == .other(name: "io.dtm.Daemon.Busy"))
  }
}

@Suite struct DaemonCallTests {
  private func call(_ text: String) throws -> DaemonCall {
    try DaemonCall(VarlinkCall(parsing: Array(text.utf8)))
  }

  @Test func `each method of the interface is read`() throws {
    #expect(try call(#"{"method":"org.varlink.service.GetInfo"}"#) == .getInfo)
    #expect(
      try call(
        #"{"method":"org.varlink.service.GetInterfaceDescription","parameters":{"interface":"x"}}"#)
        == .getInterfaceDescription(interface: "x"))
    #expect(try call(#"{"method":"io.dtm.Daemon.Status"}"#) == .status(folder: nil))
    #expect(try call(#"{"method":"io.dtm.Daemon.Reload"}"#) == .reload)
    #expect(
      try call(
        #"""
        {"method":"io.dtm.Daemon.Snapshot","parameters":{"folder":"lake","message":"m",
        "labels":{"stage":"clean"},"tag":"t","pin":true,"kind":"stage","ifChanged":true,
        "basis":"scan","time":"2026-01-02T03:04:05Z"}}
        """#)
        == .snapshot(
          SnapshotRequest(
            folder: "lake", message: "m", labels: ["stage": "clean"], tag: "t", pin: true,
            kind: "stage", ifChanged: true, look: .scan,
            time: Timestamp(rfc3339: "2026-01-02T03:04:05Z"))))
    #expect(
      try call(
        #"{"method":"io.dtm.Daemon.Snapshot","parameters":{"folder":"lake","message":null}}"#)
        == .snapshot(SnapshotRequest(folder: "lake")))
    #expect(
      try call(
        #"{"method":"io.dtm.Daemon.Wait","parameters":{"folder":"l","quietSeconds":0.5,"timeoutSeconds":1e300}}"#
      )
        == .wait(
          WaitRequest(folder: "l", quiet: .milliseconds(500), timeout: .seconds(366 * 86400))))
    #expect(
      try call(
        #"{"method":"io.dtm.Daemon.Announce","parameters":{"folder":"l","operation":"restore","paths":["a/b"]}}"#
      )
        == .announce(
          AnnounceRequest(
            folder: "l", operation: "restore", paths: [try #require(PathKey("a/b"))])))
  }

  @Test(arguments: [
    (#"{"method":"io.dtm.Daemon.Snapshot"}"#, "folder"),
    (#"{"method":"io.dtm.Daemon.Snapshot","parameters":{"folder":7}}"#, "folder"),
    (#"{"method":"io.dtm.Daemon.Snapshot","parameters":{"folder":"l","colour":1}}"#, "colour"),
    (
      #"{"method":"io.dtm.Daemon.Snapshot","parameters":{"folder":"l","labels":{"a":1}}}"#, "labels"
    ),
    (#"{"method":"io.dtm.Daemon.Snapshot","parameters":{"folder":"l","basis":"events"}}"#, "basis"),
    (#"{"method":"io.dtm.Daemon.Snapshot","parameters":{"folder":"l","time":"noon"}}"#, "time"),
    (
      #"{"method":"io.dtm.Daemon.Wait","parameters":{"folder":"l","timeoutSeconds":-1}}"#,
      "timeoutSeconds"
    ),
    (
      #"{"method":"io.dtm.Daemon.Announce","parameters":{"folder":"l","operation":"x","paths":["../y"]}}"#,
      "paths"
    ),
    (#"{"method":"io.dtm.Daemon.Status","parameters":{"folder":[]}}"#, "folder"),
    (#"{"method":"io.dtm.Daemon.Reload","parameters":{"x":null}}"#, "x"),
  ])
  func `a parameter that the interface does not have is refused by name`(
    text: String, name: String
  ) {
    #expect(throws: DaemonFault.invalidParameter(name)) { try call(text) }
  }

  @Test func `a stream is for one who takes several replies`() throws {
    #expect(
      try call(#"{"method":"io.dtm.Daemon.Events","more":true}"#) == .events(folder: nil))
    #expect(throws: DaemonFault.expectedMore) {
      try call(#"{"method":"io.dtm.Daemon.Events","parameters":{"folder":"l"}}"#)
    }
    #expect(throws: DaemonFault.expectedMore) {
      try call(#"{"method":"io.dtm.Daemon.Events","more":true,"oneway":true}"#)
    }
  }

  @Test func `a pause has whole seconds, and no fewer than one`() throws {
    let text = { (seconds: String) in
      #"{"method":"io.dtm.Daemon.Pause","parameters":{"folder":"l","seconds":\#(seconds)}}"#
    }
    #expect(
      try call(text("90")) == .pause(PauseRequest(folder: "l", duration: .seconds(90))))
    #expect(try call(text("null")) == .pause(PauseRequest(folder: "l")))
    #expect(
      try call(text("9223372036854775807"))
        == .pause(PauseRequest(folder: "l", duration: .seconds(366 * 86400))))
    for wrong in ["0", "-5", "1.5", "true", "\"1\"", "1e300"] {
      #expect(throws: DaemonFault.invalidParameter("seconds")) { try call(text(wrong)) }
    }
  }

  @Test func `methods and interfaces that are not there are refused by name`() {
    #expect(throws: DaemonFault.methodNotFound("io.dtm.Daemon.Explode")) {
      try call(#"{"method":"io.dtm.Daemon.Explode"}"#)
    }
    #expect(throws: DaemonFault.interfaceNotFound("com.example")) {
      try call(#"{"method":"com.example.Explode"}"#)
    }
    #expect(throws: DaemonFault.interfaceNotFound("")) { try call(#"{"method":"Explode"}"#) }
  }
}

@Suite struct InterfaceTests {
  @Test func `the description in the program is the interface file`() throws {
    let root = #filePath.components(beforeComponent: "Tests")
    let file = try Descriptor.open(
      .init(root + "/Sources/DTMControl/io.dtm.Daemon.varlink"), .readOnly)
    #expect(String(decoding: try file.readToEnd(), as: UTF8.self) == DaemonInterface.description)
  }

  @Test func `no two members of the interface have one name`() {
    let names = DaemonInterface.description.split(separator: "\n").compactMap {
      line -> Substring? in
      let words = line.split(separator: " ", maxSplits: 2)
      guard words.count > 1, ["type", "method", "error"].contains(words[0]) else { return nil }
      return words[1].prefix { $0 != "(" }
    }
    #expect(names.count > 10)
    #expect(Set(names).count == names.count)
  }

  @Test func `every method of the interface file is one that the daemon reads`() throws {
    let methods = DaemonInterface.description.split(separator: "\n")
      .filter { $0.hasPrefix("method ") }
      .map { $0.dropFirst(7).prefix { $0 != "(" } }
    #expect(
      methods == [
        "Status", "Snapshot", "Wait", "Announce", "Events", "Pause", "Resume", "Stage",
        "Metrics", "Reload",
      ])
    for method in methods {
      let text = #"{"method":"io.dtm.Daemon.\#(method)","more":true}"#
      do {
        _ = try DaemonCall(VarlinkCall(parsing: Array(text.utf8)))
      } catch let fault as DaemonFault {
        guard case .invalidParameter = fault else {
          Issue.record("\(method): \(fault)")
          return
        }
      }
    }
  }
}

extension String {
  /// The path up to a component, which stands in it.
  fileprivate func components(beforeComponent name: String) -> String {
    split(separator: "/", omittingEmptySubsequences: false).prefix { $0 != name }
      .joined(separator: "/")
  }
}
