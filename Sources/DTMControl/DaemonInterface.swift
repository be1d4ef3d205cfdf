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
    # pathBytes has the bytes, in base64, of each whose text is not the path itself. pausedUntil: when a pause
    # with an end resumes by itself. Each list has 100 paths at most; hotCount and uncoveredCount count all.
    type Folder (
      name: string, path: string, state: string, reasons: []string, phase: string,
      lastSnapshot: ?SnapshotSummary, dirty: int, hot: []string, uncovered: []string,
      watchedDirectories: int, overflows: int, missedChanges: int, lateChanges: int, basis: string,
      pathBytes: [string]string, pausedUntil: ?string, hotCount: int, uncoveredCount: int
    )
    type Configuration (files: []string, loaded: string, error: ?string)

    # Something that happened. folder and path say of which folder, where it is about one. By kind:
    #   begin         the stream's first: version
    #   state         how a folder is: state, phase, reasons, until; first of each folder, then when it is another
    #   snapshot      one was taken: snapshot, trigger, rules, changedEntries, storedBytes, durationSeconds
    #   restoreBegan, restoreEnded   somebody writes into the folder through dtm: operation
    #   paused        automatic snapshots are held, until a time where one was given
    #   resumed       they are not any more
    #   reloaded      another configuration runs: files
    #   refused       a configuration has an error, the one that was running goes on: reason
    #   alert         somebody should look: alert (snapshotFailed, eventsLost, repositoryUnavailable, changeMissed, checkFailed, guardAlarm), reason;
    #                 of guardAlarm snapshot, good (the newest before the damage), until (its end)
    #   dropped       the reader was so slow that count events are missing here; ask for the status
    #   end           the stream's last: the daemon stops
    type Event (
      kind: string, time: string, folder: ?string, path: ?string, version: ?string, state: ?string,
      phase: ?string, reasons: ?[]string, until: ?string, snapshot: ?SnapshotSummary, trigger: ?string,
      rules: ?[]string, changedEntries: ?int, storedBytes: ?int, durationSeconds: ?float,
      operation: ?string, files: ?[]string, alert: ?string, reason: ?string, good: ?string,
      count: ?int
    )

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

    # Streams what happens (more), of one folder or of all that the caller may see, until the caller goes.
    # A reader that is too slow misses events and is told how many; it never holds anybody up.
    method Events(folder: ?string) -> (event: Event)

    # Holds automatic snapshots of the folder, for so many seconds (at most a year) or until they are resumed.
    # Snapshots that are asked for are taken. The daemon's end ends the pause too. until: when it resumes.
    method Pause(folder: string, seconds: ?int) -> (until: ?string)

    # Ends a pause: what was written meanwhile is captured. wasPaused: whether there was one.
    method Resume(folder: string) -> (wasPaused: bool)

    # A stage of a pipeline begins, ends or fails (event: begin, ok, failed): a snapshot with the labels run_id,
    # stage, attempt and outcome. stage is empty for a run as a whole. The same event of the same pipeline, run,
    # stage and attempt twice is one snapshot. runId: without it a begin is a new run, an end the one that is open.
    # newAttempt: a begin is another attempt whatever there is. holder: the process at work (for abandoned runs);
    # hold: a begin is abandoned when this connection ends before it. StageRefused: the stage has ended otherwise
    # (isKnown), or none has begun.
    method Stage(folder: string, event: string, stage: string, pipeline: ?string, runId: ?string, attempt: ?int, newAttempt: ?bool, labels: ?[string]string, message: ?string, kind: ?string, holder: ?string, hold: ?bool) -> (snapshot: SnapshotSummary, created: bool, runId: string, attempt: int)

    # Counters and gauges of the folders that the caller may see, as OpenMetrics text.
    method Metrics() -> (text: string)

    # Reads the configuration again; a bad one is refused whole and the running one goes on.
    method Reload() -> (configuration: Configuration)

    error NoSuchFolder (folder: string)
    error PermissionDenied (reason: string)
    error Busy (reason: string)
    error SnapshotFailed (reason: string, path: ?string)
    error StageRefused (reason: string, isKnown: bool)
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
