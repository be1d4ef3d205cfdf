internal import ArgumentParser
internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

struct TakeSnapshot: FrequentVerb {
  static let configuration = CommandConfiguration.verb(
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
    wish.tag = tag
    return try Self.take(wish, in: invocation)
  }

  static func run(plain invocation: Invocation) throws -> CommandStatus {
    try take(SnapshotWish(), in: invocation)
  }

  private static func take(
    _ wish: SnapshotWish, in invocation: Invocation
  ) throws -> CommandStatus {
    if let tag = wish.tag { try RefNames.check(tag, "tag") }
    let access = try FolderAccess(invocation)
    if let tag = wish.tag, let id = access.history.tag(tag) {
      throw RefNames.present(tag, "tag", at: id)
    }
    return try SnapshotResult(access).print(SnapshotTaking(access: access).take(wish))
  }
}
