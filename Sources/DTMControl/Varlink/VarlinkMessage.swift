package import DTMSystem

/// A call as it stands on the wire.
package struct VarlinkCall: Sendable {
  /// `interface.Method`.
  package let method: String
  /// An object; empty where the call has none.
  package let parameters: JSONNode
  /// The caller takes several replies.
  package let more: Bool
  /// The caller takes no reply.
  package let oneway: Bool

  /// Reads a message without its NUL.
  ///
  /// Throws `.malformed` for what is no call, and for `upgrade`, which nothing here offers.
  package init(parsing message: [UInt8]) throws(ControlError) {
    let node = try JSONNode(message: message)
    guard let method = node["method"]?.string else {
      throw .malformed("a call without a method")
    }
    self.method = method
    parameters = try node.parameters()
    more = try node.flag("more")
    oneway = try node.flag("oneway")
    if try node.flag("upgrade") { throw .malformed("connections are not upgraded here") }
  }

  /// The bytes of a call with its NUL. `parameters` writes the members of the parameters' object.
  package static func bytes(
    method: String, more: Bool = false, oneway: Bool = false,
    parameters: (inout JSONWriter) -> Void = { _ in }
  ) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.field("method", method)
      writer.key("parameters")
      writer.object(parameters)
      if more { writer.field("more", true) }
      if oneway { writer.field("oneway", true) }
    }
    return writer.bytes + [0]
  }
}

/// A reply as it stands on the wire.
package struct VarlinkReply: Sendable {
  /// The error's name, where it is one.
  package let error: String?
  package let parameters: JSONNode
  /// Another reply to the same call follows.
  package let continues: Bool

  /// Reads a message without its NUL. Throws `.malformed`.
  package init(parsing message: [UInt8]) throws(ControlError) {
    let node = try JSONNode(message: message)
    if let error = node["error"], !error.isNull {
      guard let name = error.string else { throw .malformed("an error without a name") }
      self.error = name
    } else {
      error = nil
    }
    parameters = try node.parameters()
    continues = try node.flag("continues")
  }

  /// The bytes of a reply with its NUL.
  package static func bytes(
    continues: Bool = false, parameters: (inout JSONWriter) -> Void = { _ in }
  ) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.key("parameters")
      writer.object(parameters)
      if continues { writer.field("continues", true) }
    }
    return writer.bytes + [0]
  }

  /// The bytes of an error with its NUL.
  package static func bytes(fault: DaemonFault) -> [UInt8] {
    var writer = JSONWriter()
    writer.object { writer in
      writer.field("error", fault.name)
      writer.key("parameters")
      writer.object(fault.writeParameters)
    }
    return writer.bytes + [0]
  }
}

extension JSONNode {
  /// An object that was framed as a message.
  fileprivate init(message: [UInt8]) throws(ControlError) {
    do throws(JSONSyntaxError) {
      try self.init(parsing: message)
    } catch {
      throw .malformed("no JSON at byte \(error.column): \(error.message)")
    }
    if members == nil { throw .malformed("a message is a JSON object") }
  }

  fileprivate func parameters() throws(ControlError) -> JSONNode {
    guard let node = self["parameters"], !node.isNull else { return JSONNode(value: .object([])) }
    if node.members == nil { throw .malformed("parameters are a JSON object") }
    return node
  }

  fileprivate func flag(_ key: String) throws(ControlError) -> Bool {
    guard let node = self[key], !node.isNull else { return false }
    guard let flag = node.bool else { throw .malformed("\(key) is true or false") }
    return flag
  }
}
