internal import DTMSystem

/// A call that the daemon understands, checked against the interface.
package enum DaemonCall: Sendable, Equatable {
  case getInfo
  case getInterfaceDescription(interface: String)
  case status(folder: String?)
  case snapshot(SnapshotRequest)
  case wait(WaitRequest)
  case announce(AnnounceRequest)
  case events(folder: String?)
  case pause(PauseRequest)
  case stage(StageRequest)
  case resume(folder: String)
  case metrics
  case reload

  /// Throws the fault to answer with: a method or interface that is not there, a parameter that is
  /// missing, of another type or not in the interface, a stream for one who takes a single reply.
  package init(_ call: VarlinkCall) throws(DaemonFault) {
    let known: DaemonCall?
    do throws(FieldError) {
      known = try DaemonCall.read(call)
    } catch {
      throw .invalidParameter(error.name)
    }
    guard let known else { throw DaemonCall.unknownMethod(call.method) }
    if case .events = known, !call.more || call.oneway { throw .expectedMore }
    self = known
  }

  /// Nil for a method that is not there.
  private static func read(_ call: VarlinkCall) throws(FieldError) -> DaemonCall? {
    let fields = try MessageFields(call.parameters)
    switch call.method {
    case "org.varlink.service.GetInfo":
      try fields.allow()
      return .getInfo
    case "org.varlink.service.GetInterfaceDescription":
      try fields.allow("interface")
      return .getInterfaceDescription(interface: try fields.string("interface"))
    case "io.dtm.Daemon.Status":
      try fields.allow("folder")
      return .status(folder: try fields.optionalString("folder"))
    case "io.dtm.Daemon.Snapshot": return .snapshot(try SnapshotRequest(fields))
    case "io.dtm.Daemon.Wait": return .wait(try WaitRequest(fields))
    case "io.dtm.Daemon.Announce": return .announce(try AnnounceRequest(fields))
    case "io.dtm.Daemon.Events":
      try fields.allow("folder")
      return .events(folder: try fields.optionalString("folder"))
    case "io.dtm.Daemon.Pause": return .pause(try PauseRequest(fields))
    case "io.dtm.Daemon.Stage": return .stage(try StageRequest(fields))
    case "io.dtm.Daemon.Resume":
      try fields.allow("folder")
      return .resume(folder: try fields.string("folder"))
    case "io.dtm.Daemon.Metrics":
      try fields.allow()
      return .metrics
    case "io.dtm.Daemon.Reload":
      try fields.allow()
      return .reload
    default: return nil
    }
  }

  private static func unknownMethod(_ method: String) -> DaemonFault {
    let interface = method.lastIndex(of: ".").map { String(method[..<$0]) } ?? ""
    switch interface {
    case DaemonInterface.name, DaemonInterface.serviceName: return .methodNotFound(method)
    default: return .interfaceNotFound(interface)
    }
  }
}
