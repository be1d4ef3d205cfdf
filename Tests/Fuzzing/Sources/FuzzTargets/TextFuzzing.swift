@testable internal import DTMControl
internal import DTMSystem

/// Texts that other programs write.
enum TextFuzzing {
  static func json(_ input: [UInt8]) {
    guard let node = try? JSONNode(parsing: input) else { return }
    _ = (node.int, node.double, node.pathKey)
    for pretty in [false, true] {
      let text = written(node, pretty: pretty)
      guard let again = try? JSONNode(parsing: text) else {
        fatalError("JSON that was written does not parse")
      }
      hold(written(again, pretty: pretty) == text, "JSON is another one after writing")
    }
  }

  private static func written(_ node: JSONNode, pretty: Bool) -> [UInt8] {
    var writer = JSONWriter(pretty: pretty)
    writer.raw(node)
    return writer.bytes
  }

  /// A stream of messages, each of which is looked at as a call and as a reply.
  static func varlink(_ input: [UInt8]) {
    let whole = messages([input])
    let half = input.count / 2
    hold(
      whole == messages([Array(input[..<half]), Array(input[half...])]),
      "messages depend on how the stream is cut")
    for message in whole {
      if let call = try? VarlinkCall(parsing: message), let asked = try? DaemonCall(call) {
        hold(repeated(asked).map { $0 == asked } ?? true, "a call is another one after writing")
      }
      guard let reply = try? VarlinkReply(parsing: message) else { continue }
      if let name = reply.error {
        let fault = DaemonFault(name: name, parameters: reply.parameters)
        _ = fault.explanation
        let again = try? VarlinkReply(parsing: Array(VarlinkReply.bytes(fault: fault).dropLast()))
        hold(
          again.map { DaemonFault(name: $0.error ?? "", parameters: $0.parameters) } == fault,
          "a fault is another one after writing")
      } else if let fields = try? MessageFields(reply.parameters),
        let status = try? DaemonStatus(fields)
      {
        let bytes = VarlinkReply.bytes(parameters: status.writeMessage)
        let again = try? VarlinkReply(parsing: Array(bytes.dropLast()))
        hold(
          again.flatMap { try? DaemonStatus(MessageFields($0.parameters)) } == status,
          "a status is another one after writing")
      }
    }
  }

  private static func messages(_ parts: [[UInt8]]) -> [[UInt8]] {
    var decoder = MessageDecoder()
    var messages: [[UInt8]] = []
    for part in parts {
      decoder.append(part)
      while let message = try? decoder.next() { messages.append(message) }
    }
    return messages
  }

  /// The call as it is read after it was written; nil for those that the client writes otherwise.
  private static func repeated(_ call: DaemonCall) -> DaemonCall? {
    let bytes: [UInt8]
    switch call {
    case .snapshot(let request):
      bytes = VarlinkCall.bytes(method: "io.dtm.Daemon.Snapshot", parameters: request.write)
    case .wait(let request):
      bytes = VarlinkCall.bytes(method: "io.dtm.Daemon.Wait", parameters: request.write)
    default: return nil
    }
    guard let parsed = try? VarlinkCall(parsing: Array(bytes.dropLast())) else {
      fatalError("a call that was written is none")
    }
    do { return try DaemonCall(parsed) } catch {
      fatalError("a call that was written is refused: \(error)")
    }
  }
}
