internal import ArgumentParser
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct Verify: ReportingVerb {
  static let configuration = CommandConfiguration.verb(
    commandName: "verify",
    abstract: "Check the repository",
    usage: "dtm verify [SNAPSHOT|--all] [--read-data|--sample PERCENT] [options]",
    discussion: """
      Checks the ref log and all packs, and that the snapshot has all it needs. With --read-data every \
      byte is read and held against its SHA-256, with --sample a share of them, another one each time. \
      Status 65 where something is damaged.
      """)

  /// So much damage is told one by one.
  private static let listed = 40

  @Argument(help: "The snapshot (default: HEAD)")
  var snapshot: String?

  @Flag(help: "Check all snapshots")
  var all = false

  @Flag(name: .customLong("read-data"), help: "Read all data, not metadata alone")
  var readData = false

  @Option(help: ArgumentHelp("Read so much of the data, picked at random", valueName: "percent"))
  var sample: Double?

  @OptionGroup var options: OutputOptions

  func validate() throws {
    if let sample, !(sample > 0 && sample <= 100) {
      throw ValidationError("--sample takes a number of percent, above 0 and at most 100")
    }
    if readData, sample != nil {
      throw ValidationError("--read-data and --sample exclude each other")
    }
    if all, snapshot != nil { throw ValidationError("--all and a snapshot exclude each other") }
  }

  func run(in invocation: Invocation) throws -> CommandStatus {
    let access = try FolderAccess(invocation)
    var snapshots: [ObjectID]?
    if let snapshot {
      snapshots = [try access.snapshot(snapshot).id]
    } else if !all {
      snapshots = access.history.head.map { [$0] } ?? []
    }
    let found = try invocation.progress.during("checking the repository") {
      try access.repository.verify(
        snapshots, readsData: readData || sample != nil, share: (sample ?? 100) / 100)
    }
    if found.isSound, all, readData {
      access.repository.noteVerified(at: invocation.time.now())
    }
    if options.json {
      var writer = JSONWriter(pretty: true)
      writer.object { Self.write(found, &$0) }
      writer.endLine()
      try invocation.output.write(writer.bytes)
    } else if !options.quiet {
      for line in lines(found, invocation.style) { try invocation.output.line(line) }
    }
    return found.isSound ? .done : .damaged
  }

  private static func write(_ found: Verification, _ writer: inout JSONWriter) {
    writer.field("ok", found.isSound)
    writer.field("objects", found.objects)
    writer.field("bytes", found.bytes)
    writer.field("snapshots", found.snapshots)
    writer.array("damage") { writer in
      for damage in found.damage {
        writer.object { writer in
          writer.field("object", damage.object?.hex)
          writer.field("pack", damage.file)
          writer.field("message", damage.message)
          writer.field("snapshots", strings: damage.snapshots.map(\.hex))
          writer.field("paths", paths: damage.paths)
        }
      }
    }
  }

  private func lines(_ found: Verification, _ style: Style) -> [String] {
    var lines: [String] = []
    for damage in found.damage.prefix(Self.listed) {
      lines.append(style.failure("damaged") + "  \(Words.visible(damage.message))")
      if !damage.snapshots.isEmpty {
        lines.append("  snapshots  " + Self.some(damage.snapshots.map(Words.short)))
      }
      if !damage.paths.isEmpty {
        lines.append(
          "  paths      " + Self.some(damage.paths.map { Quoting.path($0) }))
      }
    }
    if found.damage.count > Self.listed {
      lines.append("and \(Words.grouped(found.damage.count - Self.listed)) more; --json lists all")
    }
    let objects = Words.count(found.objects, "object")
    let snapshots = Words.count(found.snapshots, "snapshot")
    let read = readData || sample != nil ? ", \(HumanUnits.bytes(found.bytes)) read" : ""
    let verdict =
      found.isSound ? style.good("sound") : style.failure(Words.count(found.damage.count, "damage"))
    lines.append("\(objects), \(snapshots)\(read): \(verdict)")
    if !found.isSound {
      lines.append("dtm repair saves what can be saved, and looks in the folder for what is lost")
    }
    if found.isSound, let sample, sample < 100 {
      lines.append("only a sample of the data was read: dtm verify --read-data reads all")
    } else if found.isSound, !readData, sample == nil {
      lines.append("the data itself was not read: dtm verify --read-data does")
    }
    return lines
  }

  private static func some(_ names: [String]) -> String {
    let limit = 8
    let more = names.count > limit ? " and \(names.count - limit) more" : ""
    return names.prefix(limit).joined(separator: ", ") + more
  }
}
