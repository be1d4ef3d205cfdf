internal import DTMSystem

/// One thing that `dtm doctor` looked at, how it is, and what to do about it.
package struct Finding: Sendable, Equatable {
  /// How much it matters.
  package enum Severity: String, Sendable, CaseIterable {
    /// As it should be.
    case ok
    /// Good to know; nothing is to be mended.
    case note
    /// Something works less well than it could, or soon will.
    case warning
    /// Something is not protected, or can't work.
    case error

    var isToMend: Bool { self == .warning || self == .error }
  }

  package let severity: Severity
  /// A word: `watches`, `space`.
  package let subject: String
  /// A sentence without a full stop.
  package let message: String
  /// The command lines that mend it, in their order; empty where none does.
  package let mend: [String]

  package init(
    _ severity: Severity, _ subject: String, _ message: String, mend: [String] = []
  ) {
    self.severity = severity
    self.subject = subject
    self.message = message
    self.mend = mend
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("severity", severity.rawValue)
    writer.field("subject", subject)
    writer.field("message", message)
    writer.field("mend", strings: mend)
  }
}

/// The findings about one thing: the machine, the daemon, a folder.
package struct FindingSection: Sendable, Equatable {
  /// `machine`, `daemon`, or a folder's name.
  package let name: String
  /// The folder's path; nil for the others.
  package let path: String?
  package let findings: [Finding]

  package init(_ name: String, path: String? = nil, _ findings: [Finding]) {
    self.name = name
    self.path = path
    self.findings = findings
  }

  func write(_ writer: inout JSONWriter) {
    writer.field("name", name)
    writer.field("path", path)
    writer.key("findings")
    writer.array { writer in
      for finding in findings { writer.object(finding.write) }
    }
  }
}
