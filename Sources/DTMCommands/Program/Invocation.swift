package import DTMSystem
package import SystemPackage

/// One run of `dtm`: everything that comes from outside, and where its words go.
///
/// Belongs to one thread.
package final class Invocation {
  /// What follows the program's name.
  package let arguments: [String]
  package let environment: [String: String]
  package let time: any TimeSource
  package let calendar: LocalCalendar
  /// The user as whom it runs.
  package let user: UInt32
  private let standardOutput: any OutputSink
  private let standardError: any OutputSink
  private let place: () throws -> FilePath
  /// Whether the standard error that progress goes to is this process's.
  private let showsProgress: Bool

  /// `-C DIR`, where it is given.
  var folderOption: String?
  /// What `--json`, `-q`, `-v` and `--no-color` say.
  var choices = OutputChoices()
  private(set) lazy var output = Output(standardOutput, pager: pager)
  private(set) lazy var progress = Progress(
    columns: showsProgress && !choices.quiet ? standardError.terminal?.columns : nil, time: time)

  /// `workingDirectory`: asked for when it is needed first; it may be gone.
  package init(
    arguments: [String], environment: [String: String], output: any OutputSink,
    errors: any OutputSink, time: any TimeSource, calendar: LocalCalendar = LocalCalendar(),
    user: UInt32, showsProgress: Bool = false, workingDirectory: @escaping () throws -> FilePath
  ) {
    self.arguments = arguments
    self.environment = environment
    self.time = time
    self.calendar = calendar
    self.user = user
    standardOutput = output
    standardError = errors
    place = workingDirectory
    self.showsProgress = showsProgress
  }

  // MARK: - Where it runs

  /// The working directory, absolute, also where it was removed.
  func workingDirectory() throws(CommandFailure) -> FilePath {
    do { return try place() } catch {
      // A shell in a removed directory still says where it was.
      if let path = environment["PWD"], path.hasPrefix("/") { return FilePath(path) }
      throw CommandFailure(.notFound, "the working directory is gone", hint: "cd somewhere else")
    }
  }

  /// A path from the command line, absolute and without `.` and `..`.
  func absolute(_ path: String) throws(CommandFailure) -> FilePath {
    let path = FilePath(bytes: RawArguments.bytes(of: path))
    if path.isAbsolute { return path.lexicallyNormalized() }
    return try workingDirectory().pushing(path).lexicallyNormalized()
  }

  /// Where snapshots are laid out for a command that looks at them.
  func temporaryDirectory() throws(CommandFailure) -> FilePath {
    let place = environment["TMPDIR"] ?? ""
    return try absolute(place.isEmpty ? "/tmp" : place)
  }

  /// Lets other processes go first, for work that may take its time. Not where tests run it: a thread keeps
  /// its place for good.
  func standBack() {
    if showsProgress { ThreadPriority.lower() }
  }

  /// Waits a moment each time it is called, and returns whether to go on waiting: until a span is over,
  /// from now on.
  func patience(_ span: Duration) -> () -> Bool {
    let deadline = time.monotonic() + span
    return { [time] in
      ThreadPause.milliseconds(20)
      return time.monotonic() < deadline
    }
  }

  // MARK: - How it looks

  /// Colours on a terminal unless somebody does not want them; `CLICOLOR_FORCE` wants them always.
  package var style: Style { style(on: standardOutput) }

  private func style(on sink: any OutputSink) -> Style {
    if choices.noColor || !(environment["NO_COLOR"] ?? "").isEmpty { return .plain }
    if let force = environment["CLICOLOR_FORCE"], force != "0", !force.isEmpty {
      return Style(isColoured: true)
    }
    let isDumb = environment["TERM"] == "dumb"
    return Style(isColoured: sink.terminal != nil && !isDumb)
  }

  /// The width to which lines are cut; nil where they may be of any length.
  var width: Int? { output.terminal?.columns }

  private var pager: PagerChoice? {
    standardOutput.terminal == nil || choices.json || !choices.pages
      ? nil : PagerChoice(environment: environment)
  }

  // MARK: - Other words

  /// What `-v` explains, on standard error.
  func explain(_ text: @autoclosure () -> String) {
    if choices.verbose { tell(text()) }
  }

  /// A line on standard error, unless `-q` silences it.
  func remark(_ text: String) {
    if !choices.quiet { tell(text) }
  }

  private func tell(_ text: String) {
    progress.clear()
    // Nobody is left to be told where standard error is closed.
    try? standardError.write(Array("dtm: \(text)\n".utf8))
  }

  /// Reports the failure that ends the command.
  func report(_ failure: CommandFailure, isJSON: Bool) {
    progress.clear()
    let text = FailureText(isJSON: isJSON, style: style(on: standardError))
    try? standardError.write(text.bytes(failure))
  }
}
