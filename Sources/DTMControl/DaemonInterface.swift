/// The interface `io.dtm.Daemon` and its description in Varlink's language.
package enum DaemonInterface {
  package static let name = "io.dtm.Daemon"

  /// The interface that each Varlink service has.
  package static let serviceName = "org.varlink.service"

  /// The text of `io.dtm.Daemon.varlink` beside this file, which a test holds against it.
  package static let description = """
    # What dtmd offers on its control socket. Paths that are given are absolute, or names of folders
    # as the configuration has them. Times are RFC 3339 in UTC.
    interface io.dtm.Daemon

    type SnapshotSummary (id: string, time: string, message: string, files: int, bytes: int, basis: string, complete: bool)

    # state: protected, degraded, unprotected, paused. phase: idle, dirty, settling, snapshotting, scanning,
    # offline. basis: events, scan, full. Paths in hot and uncovered are beneath the folder and shown as text;
    # pathBytes has the bytes, in base64, of each whose text is not the path itself.
    type Folder (
      name: string, path: string, state: string, reasons: []string, phase: string,
      lastSnapshot: ?SnapshotSummary, dirty: int, hot: []string, uncovered: []string,
      watchedDirectories: int, overflows: int, missedChanges: int, lateChanges: int, basis: string,
      pathBytes: [string]string
    )
    type Configuration (files: []string, loaded: string, error: ?string)

    # The facts behind `dtmd status --json`.
    method Status(folder: ?string) -> (version: string, pid: int, uptimeSeconds: float, state: string, configuration: Configuration, folders: []Folder)

    # Takes a snapshot now of what changed; kind, labels and the rest as in `dtm snapshot`. ifChanged: none
    # where nothing changed. basis: scan looks at everything, full reads everything.
    method Snapshot(folder: string, message: ?string, labels: ?[string]string, tag: ?string, pin: ?bool, kind: ?string, ifChanged: ?bool, basis: ?string, time: ?string) -> (snapshot: SnapshotSummary, created: bool)

    # Returns when everything written before the call is in a snapshot; forces nothing. Busy when the time is
    # over. quietSeconds: and nothing was written for so long.
    method Wait(folder: string, quietSeconds: ?float, timeoutSeconds: ?float) -> (snapshot: ?SnapshotSummary)

    # While the connection lives, changes to these paths are the caller's own (restore, checkout); no path: the
    # whole folder.
    method Announce(folder: string, operation: string, paths: []string) -> ()

    # Reads the configuration again; a bad one is refused whole and the running one goes on.
    method Reload() -> (configuration: Configuration)

    error NoSuchFolder (folder: string)
    error PermissionDenied (reason: string)
    error Busy (reason: string)
    error SnapshotFailed (reason: string, path: ?string)
    error ConfigurationError (file: string, line: int, column: int, message: string)

    """

  /// The description of `org.varlink.service`, as varlink.org has it.
  package static let serviceDescription = """
    # The Varlink Service Interface is provided by every varlink service. It
    # describes the service and the interfaces it implements.
    interface org.varlink.service

    # Get a list of all the interfaces a service provides and information
    # about the implementation.
    method GetInfo() -> (
      vendor: string,
      product: string,
      version: string,
      url: string,
      interfaces: []string
    )

    # Get the description of an interface that is implemented by this service.
    method GetInterfaceDescription(interface: string) -> (description: string)

    # The requested interface was not found.
    error InterfaceNotFound (interface: string)

    # The requested method was not found
    error MethodNotFound (method: string)

    # The interface defines the requested method, but the service does not
    # implement it.
    error MethodNotImplemented (method: string)

    # One of the passed parameters is invalid.
    error InvalidParameter (parameter: string)

    # Client is denied access
    error PermissionDenied ()

    # Method is expected to be called with 'more' set to true, but wasn't
    error ExpectedMore ()

    """
}
