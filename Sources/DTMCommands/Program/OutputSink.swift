package import DTMSystem
package import SystemPackage

/// Where a command's words go.
package protocol OutputSink: AnyObject {
  /// How much a person sees at once; nil where no terminal shows it.
  var terminal: TerminalSize? { get }
  /// Writes all bytes. Throws `.brokenPipe` when nobody reads any more.
  func write(_ bytes: [UInt8]) throws(Errno)
}

/// Standard output or standard error.
final class StandardSink: OutputSink {
  private let stream: StandardStream
  /// What a terminal that does not tell its size is taken for.
  private static let usualSize = TerminalSize(columns: 80, rows: 24)

  init(_ stream: StandardStream) {
    self.stream = stream
  }

  var terminal: TerminalSize? {
    stream.isTerminal ? TerminalSize(of: stream) ?? Self.usualSize : nil
  }

  func write(_ bytes: [UInt8]) throws(Errno) {
    try stream.write(bytes)
  }
}
