internal import ArgumentParser
internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct TakeSnapshot: ReportingVerb {
  static let configuration = CommandConfiguration(
    commandName: "snapshot",
    abstract: "Record the folder as it is now",
    usage: "dtm snapshot [-m TEXT] [options]",
    discussion: """
      Where a daemon protects the folder it takes the snapshot, of what changed; else everything is \
      looked at. When the id is printed the snapshot is on disk. Status 3: it is, but the listed \
      problems are left out of it.
      """)

  @Option(name: .shortAndLong, help: ArgumentHelp("Say what it is", valueName: "text"))
  var message: String?

  @Option(help: ArgumentHelp("Add a label", valueName: "key=value"))
  var label: [LabelArgument] = []

  @Option(help: ArgumentHelp("Name it for good", valueName: "name"))
  var tag: String?

  @Flag(help: "Keep it for good: it is never pruned")
  var pin = false

  @Flag(name: .customLong("if-changed"), help: "Take none where nothing changed")
  var ifChanged = false

  @Flag(help: "Look at everything, also where a daemon knows what changed")
  var rescan = false

  @Flag(help: "Read everything")
  var full = false

  @Option(help: ArgumentHelp("Record another time than now", valueName: "time"))
  var time: String?

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if rescan, full { throw ValidationError("--rescan and --full exclude each other") }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    var wish = SnapshotWish()
    wish.message = message ?? ""
    wish.labels = LabelArgument.dictionary(label)
    wish.isPinned = pin
    wish.ifChanged = ifChanged
    wish.look = full ? .full : rescan ? .scan : .changes
    wish.time = try time.map { try invocation.moment($0, option: "--time") }
    if let tag { try RefNames.check(tag, "tag") }
    let access = try FolderAccess(invocation)
    if let tag {
      if let id = access.history.tag(tag) { throw RefNames.present(tag, "tag", at: id) }
      wish.tag = tag
    }
    let (known, isCreated) = try SnapshotTaking(access: access).take(wish)
    return try SnapshotResult(options, access).print(known, isCreated: isCreated)
  }
}

/// What is said of a snapshot that was taken.
struct SnapshotResult {
  private static let problemLimit = 10

  private let options: OutputOptions
  private let access: FolderAccess

  init(_ options: OutputOptions, _ access: FolderAccess) {
    self.options = options
    self.access = access
  }

  /// Prints it, and returns how the command ends.
  func print(_ known: KnownSnapshot, isCreated: Bool) throws -> CommandStatus {
    let report = try access.report(known)
    let output = access.invocation.output
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { writer in
        report.write(&writer)
        writer.field("created", isCreated)
      }
      writer.endLine()
      try output.write(writer.bytes)
    } else if options.quiet {
      try output.line(known.id.hex)
    } else {
      try output.line(words(report, isCreated: isCreated))
      for line in problems(known.snapshot) { try output.line(line) }
    }
    return known.snapshot.isComplete ? .done : .incomplete
  }

  private func words(_ report: SnapshotReport, isCreated: Bool) throws -> String {
    let snapshot = report.snapshot
    let id = access.invocation.style.identifier(Words.short(report.id))
    if !isCreated {
      let age = access.invocation.time.now().seconds - snapshot.time.seconds
      return "\(id)  nothing changed since then, \(HumanUnits.ago(seconds: Int(clamping: age)))"
    }
    var parts: [String] = []
    if snapshot.parent == nil {
      let size = HumanUnits.bytes(snapshot.counts.bytes)
      parts.append("first snapshot: \(Words.count(snapshot.counts.files, "file")), \(size)")
    } else {
      let counts = Words.counts(snapshot.counts)
      parts.append(counts.isEmpty ? "nothing changed" : counts)
    }
    var costs: [String] = []
    if let stored = report.storedBytes { costs.append("\(HumanUnits.bytes(stored)) stored") }
    if let micro = report.durationInMicroseconds {
      costs.append("in \(HumanUnits.duration(.microseconds(micro)))")
    }
    if !costs.isEmpty { parts.append("(\(costs.joined(separator: " ")))") }
    parts += report.tags.map { "tag \($0)" }
    if snapshot.branch != FolderMaking.usualBranch { parts.append("on \(snapshot.branch)") }
    return id + "  " + parts.joined(separator: "  ")
  }

  private func problems(_ snapshot: Snapshot) -> [String] {
    let style = access.invocation.style
    var lines = snapshot.problems.map { problem in
      "  " + style.warning(problem.kind.rawValue)
        + "  \(Quoting.path(problem.key)): \(Words.visible(problem.detail))"
    }
    lines += snapshot.uncovered.filter { key in !snapshot.problems.contains { $0.key == key } }
      .map {
        "  " + style.warning("uncovered") + "  \(Quoting.path($0)): its last known content is kept"
      }
    if lines.count > Self.problemLimit {
      let rest = lines.count - Self.problemLimit
      lines = lines.prefix(Self.problemLimit) + ["  and \(rest) more; dtm show lists them"]
    }
    return lines
  }
}
