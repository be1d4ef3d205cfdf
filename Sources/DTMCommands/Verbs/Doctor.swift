internal import ArgumentParser
internal import DTMSystem

struct Doctor: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "doctor",
    abstract: "Check the machine, the daemon and the folders, and say how to mend them",
    usage: "dtm doctor [options]",
    discussion: """
      Watch limits, file systems, permissions, room, clock, journal, configuration, daemon, of the \
      folders that your daemon's configuration names (the system's, for root), those that a daemon \
      tells you of, and the one you are in. \
      Works without a daemon and without a folder, and changes nothing. Status 1 where something is \
      to be mended.
      """)

  @OptionGroup var options: OutputOptions

  func run(in invocation: Invocation) throws -> CommandStatus {
    let facts = invocation.progress.during("looking at the machine") {
      MachineSurvey(invocation).facts()
    }
    let sections = Diagnosis(facts).sections
    let isWell = !sections.contains { $0.findings.contains(where: \.severity.isToMend) }
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        writer.field("ok", isWell)
        writer.key("sections")
        writer.array { writer in
          for section in sections { writer.object(section.write) }
        }
      }
      writer.endLine()
      try invocation.output.write(writer.bytes)
    } else {
      let lines = FindingLines(
        style: invocation.style, width: invocation.width, showsGood: !options.quiet)
      for line in lines.lines(sections) { try invocation.output.line(line) }
    }
    return isWell ? .done : .negative
  }
}
