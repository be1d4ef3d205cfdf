internal import DTMConfiguration
internal import DTMFolder
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// A folder's checks on its real repository; on the checker's thread alone.
struct RepositoryChecks: SnapshotChecks {
  /// Where snapshots are laid out: what is there may be large.
  private static let scratch: FilePath = "/var/tmp"

  private let run: CheckRun
  private let repository: Repository
  private let id: PackID
  private let checks: [Check]
  private let isStopping: SharedFlag

  /// Opens the repository anew, as one thread's value can't be another's. Throws where it can't be.
  init(
    _ configuration: FolderConfiguration, _ location: FolderLocation, id: PackID,
    starter: ProgramStarter, isStopping: SharedFlag
  ) throws(FolderError) {
    do throws(RepositoryError) {
      repository = try Repository(at: location.repository)
    } catch {
      throw FolderError(error)
    }
    self.id = id
    self.isStopping = isStopping
    let folder = try Folder(
      at: location.folder, id: id, repository: repository,
      repositoryPath: location.repository, ignoring: configuration.ignore)
    run = CheckRun(
      folder, starter: starter, scratch: Self.scratch, environment: SharedEnvironment.entries)
    checks = configuration.checks
  }

  func run(on snapshot: String) -> [String]? {
    guard let id = ObjectID(hex: snapshot) else { return nil }
    do throws(FolderError) {
      let history = try History(repository, folder: self.id)
      let known = try history.snapshot(id)
      let (labels, rules) = try history.marks(of: known)
      let made = try history.facts(of: id)
      let orders = checks.filter { check in
        // A snapshot comes again when rules give it more.
        made["check:\(check.name)"] == nil
          && check.after.selects(
            trigger: known.snapshot.trigger, rules: rules, labels: labels)
      }
      if orders.isEmpty { return nil }
      let isStopping = isStopping
      var reports: [CheckReport] = []
      for order in orders.map({ CheckOrder($0) }) {
        let report = run.run(order, on: known) { isStopping.isSet }
        // One that was cut off says nothing.
        if isStopping.isSet { return nil }
        reports.append(report)
      }
      try run.record(reports, of: known)
      return reports.filter { $0.result != .pass }.map { report in
        "the check \(report.name) says \(report.result.rawValue) (\(report.reason))"
          + " of \(snapshot.prefix(8))" + Self.line(report.output)
      }
    } catch {
      return ["the checks of \(snapshot.prefix(8)) could not be made: \(error.message)"]
    }
  }
}

extension RepositoryChecks {
  /// The first line of what a check wrote.
  private static func line(_ output: [UInt8]) -> String {
    let line = output.split(separator: UInt8(ascii: "\n")).first ?? []
    return line.isEmpty ? "" : ": " + Quoting.path(Array(line.prefix(200)))
  }
}

extension CheckOrder {
  init(_ check: Check) {
    self.init(
      name: check.name, words: check.command.map { Array($0.utf8) }, timeout: check.timeout,
      isOnView: check.place == .view)
  }
}
