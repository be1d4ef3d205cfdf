internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// A command that runs between two snapshots.
struct CommandRun {
  private let options: Run
  private let labels: StageLabels
  private let invocation: Invocation
  private let starter: ProgramStarter
  private let access: FolderAccess

  /// Throws where there is no folder; nothing was run then.
  init(_ options: Run, _ labels: StageLabels, _ invocation: Invocation) throws {
    self.options = options
    self.labels = labels
    self.invocation = invocation
    // Before root comes to act as the folder's owner: the command is the caller's.
    starter = try ProgramStarter()
    access = try FolderAccess(invocation)
  }

  /// Runs it; the status is the command's.
  func run() throws -> CommandStatus {
    let taking = StageTaking(access: access)
    let daemon = try taking.daemon()
    // The connection lives as long as the command: when this process dies the daemon says so.
    defer { withExtendedLifetime(daemon) {} }
    let before = try taking.take(beginning, by: daemon, holds: true)
    invocation.explain("\(before.key.words) begins at \(Words.short(before.taken.known.id))")
    let signals = try ForwardedSignals()
    let environment = environment(before)
    let end = try end(signals, environment)
    let check = end.status == 0 ? try checked(environment) : nil
    let hasFailed = end.status != 0 || (check.map { $0 != .pass } ?? false)
    let after = try finish(before, end, hasFailed: hasFailed, by: daemon)
    if let check { try record(check, on: after) }
    if hasFailed { try answerFailure(before, after, end, check) }
    if end.status == 0, hasFailed { return .negative }
    return CommandStatus(rawValue: end.status)
  }

  // MARK: - The boundaries

  private var beginning: StageTaking.Report {
    var wish = StageWish(.begin, stage: options.stage ?? "")
    wish.pipeline = labels.pipeline
    wish.run = labels.run
    wish.isNewAttempt = true
    wish.holder = ProcessMark.of(ProcessSignals.processID)
    return StageTaking.Report(
      wish: wish, labels: labels.labels, message: "\(name) begin", kind: "run")
  }

  /// What people read in the log.
  private var name: String {
    if let stage = options.stage { return stage }
    let bytes = RawArguments.bytes(of: options.command.first ?? "")
    return Quoting.path(Array(bytes.split(separator: UInt8(ascii: "/")).last ?? []))
  }

  private func finish(
    _ before: TakenStage, _ end: ProgramEnd, hasFailed: Bool,
    by daemon: DaemonLink.ProtectedFolder?
  ) throws -> TakenStage {
    var wish = StageWish(hasFailed ? .failed : .ok, stage: before.key.stage)
    wish.pipeline = before.key.pipeline
    wish.run = before.key.run
    wish.attempt = before.key.attempt
    var labels = labels.labels
    labels["exit_status"] = String(end.status)
    let words = end.status == 0 ? "" : " \(Self.words(end))"
    let report = StageTaking.Report(
      wish: wish, labels: labels, message: "\(name) \(wish.event.rawValue)\(words)", kind: "run")
    let taking = StageTaking(access: access)
    if let daemon {
      do throws(ControlError) {
        _ = try daemon.client.status(folder: daemon.name)
      } catch {
        // It was started anew, or is gone, meanwhile.
        invocation.explain(error.message)
        return try taking.take(report, by: taking.daemon())
      }
      return try taking.take(report, by: daemon)
    }
    return try taking.take(report, by: taking.daemon())
  }

  private static func words(_ end: ProgramEnd) -> String {
    switch end {
    case .exited(let status): "status \(status)"
    case .killed(let signal): "signal \(signal)"
    }
  }

  // MARK: - The command

  private func environment(_ before: TakenStage) -> [[UInt8]] {
    var values = [
      ("DTM_SNAPSHOT_BEFORE", Array(before.taken.known.id.hex.utf8)),
      ("DTM_FOLDER", Array(access.location.folder.string.utf8)),
      ("DTM_RUN_ID", Array(before.key.run.utf8)),
    ]
    if !before.key.pipeline.isEmpty {
      values.append(("DTM_PIPELINE", Array(before.key.pipeline.utf8)))
    }
    return ProcessEnvironment.entries(ProcessEnvironment.entries, setting: values)
  }

  /// How the command ended; one that can't be started ends as a shell has it.
  private func end(_ signals: ForwardedSignals, _ environment: [[UInt8]]) throws -> ProgramEnd {
    let words = options.command.map { RawArguments.bytes(of: $0) }
    let order = ProgramOrder(words, environment: environment)
    let pid: Int32
    do throws(Errno) {
      pid = try starter.start(order)
    } catch {
      let isMissing = error == .noSuchFileOrDirectory
      invocation.report(
        CommandFailure(
          isMissing ? .notFound : .permissionDenied,
          "the command \(Quoting.path(words[0])) can't be run: \(error)"), isJSON: false)
      return .exited((isMissing ? CommandStatus.noCommand : .notExecutable).rawValue)
    }
    return try signals.wait(for: pid)
  }

  // MARK: - The check

  /// Nil where there is no check.
  private func checked(_ environment: [[UInt8]]) throws -> CheckResult? {
    guard let check = options.check else { return nil }
    let words = [Array("sh".utf8), Array("-c".utf8), RawArguments.bytes(of: check)]
    let order = ProgramOrder(
      words, environment: environment, directory: access.location.folder)
    return CheckResult(try ProcessSignals.end(of: starter.start(order)))
  }

  private func record(_ check: CheckResult, on after: TakenStage) throws {
    let id = after.taken.known.id
    try access.commit(
      RecordDraft(
        kind: "check", summary: "check run of \(Words.short(id)): \(check.rawValue)",
        facts: [Fact(subject: id, key: "check:run", value: Array(check.rawValue.utf8))]))
  }

  // MARK: - Failure

  private func answerFailure(
    _ before: TakenStage, _ after: TakenStage, _ end: ProgramEnd, _ check: CheckResult?
  ) throws {
    let (old, new) = (before.taken.known, after.taken.known)
    let what =
      check.map { $0 == .pass ? Self.words(end) : "its check says \($0.rawValue)" }
      ?? Self.words(end)
    invocation.remark(
      "\(name) failed (\(what)); what it left is \(Words.short(new.id)),"
        + " what was before \(Words.short(old.id))")
    if options.onFailure == .keep {
      return invocation.remark("dtm restore \(Words.short(old.id)) goes back")
    }
    try refuseOverlap(before)
    var request = RestoreRequest(.snapshot(old))
    request.summary = "restored \(Words.short(old.id)) after \(name) failed"
    let result = try Restoring(access).run(request)
    if let problem = result.outcome.problems.first {
      throw CommandFailure(
        .inputOutput, "not all was restored: \(Quoting.path(problem.key)): \(problem.detail)",
        hint: "dtm restore \(Words.short(old.id)) tries again")
    }
    invocation.remark("the folder is back at \(Words.short(old.id))")
  }

  /// Throws where another run was at work in the folder at the same time: what it wrote would be lost.
  private func refuseOverlap(_ before: TakenStage) throws {
    var log = StageLog(folder: access.id)
    try log.refresh(access.repository)
    guard let other = log.runsBeside(before.key).first else { return }
    throw CommandFailure(
      .conflict,
      "the folder was not restored: run \(Words.visible(other)) was at work in it meanwhile",
      hint: "when nothing is: dtm restore \(Words.short(before.taken.known.id))")
  }
}
