internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Operations: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "operations",
    abstract: "List the operations that can be undone, newest first",
    usage: "dtm operations [-n N] [options]")

  @Option(name: .short, help: ArgumentHelp("Stop after so many", valueName: "n"))
  var number: Int?

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if let number, number < 0 { throw ValidationError("-n takes a number that is not negative") }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    let all = access.history.state.operations.reversed()
    let operations = Array(all.prefix(number ?? .max))
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.array { writer in
        for operation in operations { writer.object { Self.write(operation, &$0) } }
      }
      writer.endLine()
      try invocation.output.write(writer.bytes)
      return .done
    }
    if options.quiet {
      for operation in operations { try invocation.output.line(String(operation.sequence)) }
      return .done
    }
    let style = invocation.style
    let now = invocation.time.now()
    var table = Table(
      [.right, .left, .left, .flexible, .left, .left], terminalWidth: invocation.width)
    for operation in operations {
      table.append([
        Table.Cell(String(operation.sequence), style.identifier),
        Table.Cell(invocation.calendar.brief(operation.time, now: now)),
        Table.Cell(operation.kind, style.quiet),
        Table.Cell(Words.firstLine(operation.summary)),
        Table.Cell(Self.user(operation)),
        Table.Cell(operation.isUndone ? "undone" : "", style.warning),
      ])
    }
    for line in table.lines() { try invocation.output.line(line) }
    return .done
  }

  private static func user(_ operation: OperationRecord) -> String {
    UserDirectory.name(ofUser: operation.uid) ?? String(operation.uid)
  }

  private static func write(_ operation: OperationRecord, _ writer: inout JSONWriter) {
    writer.field("id", operation.sequence)
    writer.field("time", operation.time.rfc3339)
    writer.field("kind", operation.kind)
    writer.field("summary", operation.summary)
    writer.field("undone", operation.isUndone)
    writer.field("user", user(operation))
  }
}
