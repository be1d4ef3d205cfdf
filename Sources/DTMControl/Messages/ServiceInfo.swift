internal import DTMSystem

/// Replies of `org.varlink.service`.
package enum ServiceReply {
  /// The bytes that answer `GetInfo`.
  package static func info(version: String) -> [UInt8] {
    VarlinkReply.bytes { writer in
      writer.field("vendor", "Data Time Machine")
      writer.field("product", "dtmd")
      writer.field("version", version)
      writer.field("url", "")
      writer.field(
        "interfaces", strings: [DaemonInterface.serviceName, DaemonInterface.name])
    }
  }

  /// The bytes that answer `GetInterfaceDescription`. Throws `.interfaceNotFound`.
  package static func description(ofInterface name: String) throws(DaemonFault) -> [UInt8] {
    let text: String =
      switch name {
      case DaemonInterface.name: DaemonInterface.description
      case DaemonInterface.serviceName: DaemonInterface.serviceDescription
      default: throw .interfaceNotFound(name)
      }
    return VarlinkReply.bytes { $0.field("description", text) }
  }
}
