internal import DTMControl
internal import DTMSystem

/// How `dtmd` fails: up to three lines on standard error, and a status as sysexits(3) has them.
struct ProgramFailure {
  enum Status: Int32 {
    case dataError = 65
    case notFound = 66
    case unavailable = 69
    case inputOutput = 74
    case busy = 75
    case permissionDenied = 77
    case configuration = 78
  }

  /// What to do about it.
  enum Hint: String {
    case start = "start it with systemctl start dtmd, or dtmd run"
    case mend = "mend the file; the configuration that was running goes on"
  }

  let status: Status
  private let lines: [String]
  private let hint: Hint?

  init(status: Status, _ message: String, hint: Hint? = nil) {
    self.status = status
    lines = message.split(separator: "\n").map(String.init)
    self.hint = hint
  }

  init(_ error: DaemonError) {
    let status: Status =
      switch error.code {
      case .configuration: .configuration
      case .alreadyRunning: .busy
      default: .unavailable
      }
    self.init(status: status, error.description)
  }

  init(_ error: ControlError) {
    let (status, hint): (Status, Hint?) =
      switch error.code {
      case .unavailable: (.unavailable, .start)
      case .configuration: (.configuration, .mend)
      case .permissionDenied: (.permissionDenied, nil)
      case .notFound: (.notFound, nil)
      case .busy, .timedOut: (.busy, nil)
      case .failed: (.inputOutput, nil)
      case .malformed: (.dataError, nil)
      default: (.unavailable, nil)
      }
    self.init(status: status, error.message, hint: hint)
  }

  /// `dtmd: error: message` for each line of it, and `  hint: …`.
  func print() {
    var text = lines.map { "dtmd: error: \($0)\n" }.joined()
    if let hint { text += "  hint: \(hint.rawValue)\n" }
    // Nobody is left to be told when standard error is closed.
    try? StandardStream.error.write(Array(text.utf8))
  }

  /// Prints, and gives the exit status.
  func tell() -> Int32 {
    print()
    return status.rawValue
  }
}
