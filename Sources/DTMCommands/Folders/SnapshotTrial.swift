internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// A command that is tried on snapshots, each laid out in a directory of its own.
struct SnapshotTrial {
  /// As git's bisect has it.
  private static let skipStatus: Int32 = 125
  private static let worstStatus: Int32 = 127

  let access: FolderAccess
  private let words: [[UInt8]]
  private let invocation: Invocation
  private let starter: ProgramStarter

  init(_ command: [String], _ invocation: Invocation) throws {
    words = command.map { RawArguments.bytes(of: $0) }
    self.invocation = invocation
    // Before root comes to act as the folder's owner: the command is the caller's.
    starter = try ProgramStarter()
    access = try FolderAccess(invocation)
  }

  /// What the command says of a snapshot; its output goes to standard error. Throws where it can't be
  /// run, or a signal ends it.
  func verdict(on known: KnownSnapshot) throws -> Bisection.Verdict {
    let view = try invocation.progress.during("laying out \(Words.short(known.id))") {
      try RestoredView(
        of: known, in: access.openFolder(), beneath: invocation.temporaryDirectory())
    }
    defer { withExtendedLifetime(view) {} }
    invocation.progress.clear()
    let environment = ProcessEnvironment.entries(
      ProcessEnvironment.entries,
      setting: [
        ("DTM_SNAPSHOT", Array(known.id.hex.utf8)),
        ("DTM_FOLDER", Array(access.location.folder.string.utf8)),
      ])
    var order = ProgramOrder(words, environment: environment, directory: view.path)
    order.output = StandardStream.error.rawValue
    let end: ProgramEnd
    do throws(Errno) {
      end = try ProcessSignals.end(of: starter.start(order))
    } catch {
      throw CommandFailure(error, "run \(Quoting.path(words[0]))")
    }
    switch end {
    case .exited(0): return .good
    case .exited(Self.skipStatus): return .skipped
    case .exited(let status) where status <= Self.worstStatus: return .bad
    default:
      throw CommandFailure(
        .inputOutput,
        "\(Quoting.path(words[0])) ended with status \(end.status) on \(Words.short(known.id)): the search ends"
      )
    }
  }
}
