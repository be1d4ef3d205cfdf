@testable internal import DTMControl
internal import DTMRepository
internal import DTMSystem

/// Messages of the control socket.
extension Seeds {
  static var messages: [[UInt8]] {
    let request = SnapshotRequest(
      folder: "lake", message: "m", labels: ["job": "42"], tag: "t", pin: true, kind: "stage",
      ifChanged: true, look: .full, time: Timestamp(seconds: 1_700_000_000, nanoseconds: 5))
    let status = texts(
      """
      {"parameters":{"version":"1","pid":7,"configuration":{"files":["/etc/dtm"],\
      "loaded":"2024-01-01T00:00:00Z","error":null},"uptimeSeconds":1.5,"state":"protected","folders":[\
      {"name":"lake","path":"/srv/lake","state":"degraded","reasons":["r"],"phase":"quiet",\
      "lastSnapshot":{"id":"ab","time":"2024-01-01T00:00:00.5+01:00","message":"","files":1,"bytes":2,\
      "basis":"scan","complete":true},"dirty":0,"hot":["a"],"uncovered":["\\\\xff"],\
      "pathBytes":{"\\\\xff":"/w=="},"watchedDirectories":1,"overflows":0,"missedChanges":0,\
      "lateChanges":0,"basis":"scan"}]}}
      """)[0]
    return [
      VarlinkCall.bytes(method: "io.dtm.Daemon.Snapshot", more: true, parameters: request.write),
      VarlinkCall.bytes(
        method: "io.dtm.Daemon.Wait",
        parameters: WaitRequest(folder: "f", quiet: .seconds(1.5), timeout: .seconds(9)).write),
      VarlinkCall.bytes(
        method: "io.dtm.Daemon.Announce",
        parameters: AnnounceRequest(folder: "f", operation: "undo", paths: [entries[2].key]).write),
      VarlinkReply.bytes(fault: .snapshotFailed(reason: "no room", path: "a")),
      VarlinkReply.bytes(
        fault: .configurationError(file: "f", line: 1, column: 2, message: "m")),
      status + [0],
    ]
  }
}
