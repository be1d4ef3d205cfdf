internal import DTMRepository
package import DTMSystem
package import SystemPackage

/// What a check says of a snapshot.
package enum CheckResult: String, Sendable {
  case pass, fail
  /// It could not be made, or its time was over.
  case error

  /// A status from which on a check has not failed but could not be made.
  private static let errorStatus: Int32 = 100

  /// What a program says by its end; nil: it had to be killed.
  package init(_ end: ProgramEnd?) {
    self =
      switch end {
      case .exited(0): .pass
      case .exited(let status) where status < Self.errorStatus: .fail
      case .exited, .killed, nil: .error
      }
  }
}

/// A check that is to be made.
package struct CheckOrder: Sendable {
  package var name: String
  package var words: [[UInt8]]
  package var timeout: Duration
  /// Else in the folder as it is.
  package var isOnView: Bool

  package init(name: String, words: [[UInt8]], timeout: Duration, isOnView: Bool) {
    self.name = name
    self.words = words
    self.timeout = timeout
    self.isOnView = isOnView
  }
}

/// What came of a check.
package struct CheckReport: Sendable {
  package let name: String
  package let result: CheckResult
  /// Why, for people: `status 3`, `its time was over`.
  package let reason: String
  /// The beginning of what it wrote.
  package let output: [UInt8]
}

/// Makes checks of snapshots and records what they say, as facts.
///
/// Belongs to one thread, and needs no capture lock: what it lays out is outside the folder.
package final class CheckRun {
  /// Of a check's output so much is kept.
  package static let outputLimit = 64 * 1024

  private let folder: Folder
  private let starter: ProgramStarter
  private let scratch: FilePath
  private let environment: [[UInt8]]

  /// `scratch`: where snapshots are laid out. `environment`: what the checks see beside their own.
  package init(
    _ folder: Folder, starter: ProgramStarter, scratch: FilePath, environment: [[UInt8]]
  ) {
    self.folder = folder
    self.starter = starter
    self.scratch = scratch
    self.environment = environment
  }

  /// Makes one; what keeps it from being made is an error of the check.
  package func run(
    _ order: CheckOrder, on known: KnownSnapshot, isCancelled: () -> Bool = { false }
  ) -> CheckReport {
    do throws(FolderError) {
      return try make(order, known, isCancelled)
    } catch {
      return CheckReport(
        name: order.name, result: .error, reason: error.message, output: [])
    }
  }

  /// Records what a check says; the newest counts.
  package func record(_ reports: [CheckReport], of known: KnownSnapshot) throws(FolderError) {
    if reports.isEmpty { return }
    let words = reports.map { "\($0.name) \($0.result.rawValue)" }.joined(separator: ", ")
    var draft = RecordDraft(kind: "check", summary: "checked \(known.id.short): \(words)")
    draft.facts = reports.map {
      Fact(subject: known.id, key: "check:\($0.name)", value: Array($0.result.rawValue.utf8))
    }
    draft.pid = ProcessSignals.processID
    draft.uid = ThreadIdentity.current.uid
    let time = folder.environment.time.now()
    try onRepository { () throws(RepositoryError) in
      _ = try folder.repository.beginSession().commit(draft, at: time)
    }
  }

  private func make(
    _ order: CheckOrder, _ known: KnownSnapshot, _ isCancelled: () -> Bool
  ) throws(FolderError) -> CheckReport {
    let view =
      order.isOnView ? try RestoredView(of: known, in: folder, beneath: scratch) : nil
    defer { withExtendedLifetime(view) {} }
    let changed = try changedFile(known)
    defer { changed.remove() }
    let variables = ProcessEnvironment.entries(
      environment,
      setting: [
        ("DTM_SNAPSHOT", Array(known.id.hex.utf8)),
        ("DTM_FOLDER", Array(folder.path.string.utf8)),
        ("DTM_CHANGED", Array(changed.path.string.utf8)),
      ])
    let program = ProgramOrder(
      order.words, environment: variables, directory: view?.path ?? folder.path)
    do throws(Errno) {
      let outcome = try BoundedRun.run(
        program, with: starter, within: order.timeout, keeping: Self.outputLimit,
        isCancelled: isCancelled)
      return Self.report(order, outcome)
    } catch {
      throw FolderError(
        error, "run", String(decoding: order.words.first ?? [], as: UTF8.self))
    }
  }

  private static func report(_ order: CheckOrder, _ outcome: BoundedRun.Outcome) -> CheckReport {
    let reason =
      switch outcome.end {
      case nil: "its time was over"
      case .exited(let status): "status \(status)"
      case .killed(let signal): "signal \(signal)"
      }
    return CheckReport(
      name: order.name, result: CheckResult(outcome.end), reason: reason, output: outcome.output)
  }

  // MARK: - What changed

  private struct ChangedFile {
    let directory: FilePath
    let name: String
    var path: FilePath { directory.appending(name) }

    func remove() {
      // What can't be removed stays in the temporary directory.
      try? SystemFileOperations(path: directory).remove(name)
    }
  }

  /// A file with the paths that the snapshot changed, each ended by a NUL.
  private func changedFile(_ known: KnownSnapshot) throws(FolderError) -> ChangedFile {
    var bytes: [UInt8] = []
    let objects = folder.repository.objects
    let new = Tree(root: known.snapshot.tree, objects: objects)
    let history = try History(folder.repository, folder: folder.id)
    var old: Tree?
    if let parent = known.snapshot.parent {
      do throws(FolderError) {
        old = Tree(root: try history.snapshot(parent).snapshot.tree, objects: objects)
      } catch {
        // It is no longer kept: everything is new.
        if error.code != .notFound { throw error }
      }
    }
    try onRepository { () throws(RepositoryError) in
      func add(_ key: PathKey) { if !key.isRoot { bytes += key.path + [0] } }
      if let old {
        try new.forEachDifference(from: old) { difference in
          if let entry = difference.new ?? difference.old { add(entry.key) }
          return true
        }
      } else {
        try new.forEach { entry in
          add(entry.key)
          return true
        }
      }
    }
    let file = ChangedFile(
      directory: scratch, name: "dtm-changed-\(Hex.string(SecureRandom.bytes(6)))")
    do throws(Errno) {
      try Descriptor.open(file.path, [.writeOnly, .create, .exclusive], mode: 0o600).write(bytes)
    } catch {
      throw FolderError(error, "write", file.path.string)
    }
    return file
  }
}
