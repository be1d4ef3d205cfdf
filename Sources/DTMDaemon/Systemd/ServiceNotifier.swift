internal import DTMSystem

/// Says to the service manager how the daemon is.
package struct ServiceNotifier: Sendable {
  /// After so long without a sign of life the manager acts; nil where it does not watch.
  package let watchdogLimit: Duration?
  private let send: @Sendable (String) -> Void

  /// systemd, where it started us with a notify socket; else nobody.
  package static let systemd = ServiceNotifier(watchdogLimit: Systemd.watchdogLimit) {
    Systemd.notify($0)
  }

  /// `send`: takes lines `NAME=value` as sd_notify(3) does.
  package init(watchdogLimit: Duration? = nil, send: @escaping @Sendable (String) -> Void) {
    self.watchdogLimit = watchdogLimit
    self.send = send
  }

  /// The sign of life.
  package func watchdog() {
    send("WATCHDOG=1")
  }

  /// The control socket is there and the folders are being watched; also ends a reload.
  package func ready(status: String) {
    send("READY=1\nSTATUS=\(line(status))")
  }

  /// One line for `systemctl status`.
  package func status(_ text: String) {
    send("STATUS=\(line(text))")
  }

  /// Tells systemd that the configuration is being read again (RELOADING=1).
  package func reloading() {
    // The service manager tells by the time which READY ends this reload.
    let now = ProcessClock.monotonic / .microseconds(1)
    send("RELOADING=1\nMONOTONIC_USEC=\(UInt64(now))\nSTATUS=Reloading")
  }

  /// Tells systemd that the daemon ends (STOPPING=1).
  package func stopping() {
    send("STOPPING=1\nSTATUS=Stopping: taking last snapshots")
  }

  private func line(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 })
  }
}
