internal import DTMControl
internal import DTMSystem

/// Tells a running daemon that its configuration is another.
struct DaemonReload {
  private let invocation: Invocation

  init(_ invocation: Invocation) {
    self.invocation = invocation
  }

  /// Has it reload; false where none runs. Throws where it refuses the configuration.
  func reload() throws -> Bool {
    do throws(ControlError) {
      _ = try DaemonLink(invocation).ownDaemon().reload()
      return true
    } catch {
      if error.code == .unavailable { return false }
      throw error
    }
  }

  /// What to say where none runs.
  static func notRunning(_ invocation: Invocation) -> String {
    invocation.user == 0
      ? "dtmd is not running, so nothing is recorded by itself: systemctl enable --now dtmd starts it"
      : "dtmd is not running, so nothing is recorded by itself: "
        + "systemctl --user enable --now dtmd, or dtmd run, starts it"
  }
}
