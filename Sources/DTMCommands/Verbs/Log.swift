internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMRules
internal import DTMSystem

struct Log: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "log",
    abstract: "List snapshots, newest first",
    usage: "dtm log [-n N] [options]",
    discussion: """
      A line has the id, the time, what triggered it, the message, what changed (M modified, A added, \
      D deleted), how much the folder grew, and labels and tags.
      """)

  @Option(name: .short, help: ArgumentHelp("Stop after so many", valueName: "n"))
  var number: Int?

  @Option(help: ArgumentHelp("List this branch (default: the current one)", valueName: "name"))
  var branch: String?

  @Flag(help: "List the snapshots of all branches and tags")
  var all = false

  @Option(help: ArgumentHelp("List those no older than this", valueName: "time"))
  var since: String?

  @Option(help: ArgumentHelp("List those no newer than this", valueName: "time"))
  var until: String?

  @Option(help: ArgumentHelp("List those with this label", valueName: "key=value"))
  var label: [LabelArgument] = []

  @Option(help: ArgumentHelp("List those with this trigger", valueName: "kind"))
  var trigger: [String] = []

  @Option(help: ArgumentHelp("List those of this stage", valueName: "name"))
  var stage: [String] = []

  @Option(name: .customLong("run"), help: ArgumentHelp("List those of this run", valueName: "id"))
  var runID: [String] = []

  @Flag(help: "List those whose every check passed")
  var good = false

  @Flag(
    help: "List those to look at: incomplete, of a failed run, or with a check that did not pass")
  var flagged = false

  @Option(help: ArgumentHelp("List those that changed this path", valueName: "path"))
  var path: [String] = []

  @Flag(help: "Show what each one changed")
  var stat = false

  @Flag(help: "Show the id and the message only")
  var oneline = false

  @Flag(help: "Draw which one comes from which")
  var graph = false

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if let number, number < 0 { throw ValidationError("-n takes a number that is not negative") }
    if all, branch != nil { throw ValidationError("--all and --branch exclude each other") }
    if stat, oneline { throw ValidationError("--stat and --oneline exclude each other") }
    let kinds = TriggerKind.allCases.map(\.rawValue)
    for word in trigger where !kinds.contains(word) {
      let nearest = editDistanceNearest(word, among: kinds).map { "did you mean \($0)?" }
      throw ValidationError(
        "--trigger: \(word) triggers nothing; \(nearest ?? kinds.joined(separator: ", "))")
    }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let selection = try LogSelection(self, access)
    let printer = LogPrinter(self, access)
    try selection.forEach(printer.add)
    try printer.finish()
    return .done
  }
}
