internal import DTMSystem
internal import SystemPackage

/// A command's result on its way to standard output: gathered, and through a pager where it is
/// longer than the screen.
final class Output {
  /// So much is gathered before it is written where nobody waits for it.
  private static let bufferLimit = 64 << 10

  private let sink: any OutputSink
  private let pager: PagerChoice?
  private var buffer: [UInt8] = []
  private var lines = 0
  private var process: PagerProcess?

  /// `pager`: nil where none is wanted.
  init(_ sink: any OutputSink, pager: PagerChoice?) {
    self.sink = sink
    self.pager = pager
  }

  var terminal: TerminalSize? { sink.terminal }

  func write(_ text: String) throws(CommandFailure) {
    try write(Array(text.utf8))
  }

  /// A line and its end.
  func line(_ text: String = "") throws(CommandFailure) {
    try write(Array(text.utf8) + [UInt8(ascii: "\n")])
  }

  func write(_ bytes: [UInt8]) throws(CommandFailure) {
    buffer += bytes
    if let pager, process == nil, let rows = sink.terminal?.rows {
      lines += bytes.count { $0 == UInt8(ascii: "\n") }
      if lines < rows { return }
      try start(pager)
    }
    if buffer.count >= Self.bufferLimit || process != nil { try flush() }
  }

  /// Writes what is gathered.
  func flush() throws(CommandFailure) {
    if buffer.isEmpty { return }
    let bytes = buffer
    buffer = []
    do throws(Errno) {
      if let process { try process.write(bytes) } else { try sink.write(bytes) }
    } catch .brokenPipe {
      throw CommandFailure(.brokenPipe, "standard output is closed")
    } catch {
      throw CommandFailure(error, "write to standard output")
    }
  }

  /// Writes what is gathered and waits for the pager, where one runs. Its end before the text's is
  /// no failure: who looked has seen enough.
  func finish() throws(CommandFailure) {
    defer { process?.finish() }
    do throws(CommandFailure) { try flush() } catch {
      if error.code == .brokenPipe, process != nil { return }
      throw error
    }
  }

  private func start(_ pager: PagerChoice) throws(CommandFailure) {
    do throws(Errno) {
      process = try PagerProcess(command: pager.command, environment: pager.environment)
    } catch {
      throw CommandFailure(error, "start the pager \(pager.command)")
    }
  }
}

/// Which pager shows long output.
package struct PagerChoice {
  package let command: String
  package let environment: [String: String]

  /// `DTM_PAGER`, else `PAGER`, else `less -FRX`; nil where it is empty or `cat`.
  package init?(environment: [String: String]) {
    let command = environment["DTM_PAGER"] ?? environment["PAGER"] ?? "less -FRX"
    if command.isEmpty || command == "cat" { return nil }
    self.command = command
    var variables = environment
    // A `less` that somebody chose gets what it needs to show colours, as git does it.
    if variables["LESS"] == nil { variables["LESS"] = "FRX" }
    self.environment = variables
  }
}
