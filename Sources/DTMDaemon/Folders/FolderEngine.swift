package import DTMConfiguration
package import DTMControl
package import DTMFolder
package import DTMRepository
package import DTMRules
package import DTMSystem
package import DTMWatch

/// What the daemon needs of the engine that captures one folder into its repository.
///
/// An engine lives on its folder's thread, which acts as the repository's owner: it is opened,
/// used and closed there and nowhere else. While it is open it holds the folder's capture lock.
package protocol FolderEngine {
  /// Whether a path takes no part in snapshots (the repository, nested repositories, ignored
  /// names); told whether it is a directory. Called from the watcher's thread, for each event.
  var exclusion: @Sendable (PathKey, Bool) -> Bool { get }

  /// The newest snapshot of the current branch; nil before the first.
  func newestSnapshot() throws(FolderEngineError) -> SnapshotSummary?

  /// Takes a snapshot of what the order's set says must be looked at.
  ///
  /// After return it is durable. Throws `.refused` when the set does not begin where the engine's
  /// knowledge ends: the daemon then asks for a scan.
  func capture(_ order: CaptureOrder) throws(FolderEngineError) -> CaptureResult

  /// Whether somebody may have one of these files open for writing: `Folder.isOpenForWriting`.
  func isOpenForWriting(_ files: [PathKey]) -> Bool

  /// Of paths those that take part in snapshots: `Folder.takingPart`. What `exclusion` says is less: it
  /// opens nothing.
  func takingPart(_ keys: [PathKey], areDirectories: Bool) -> [PathKey]

  /// Compares a part of the folder with what was captured of it, by stat: `Folder.audit`.
  ///
  /// Throws `.refused` where the engine's knowledge does not end at `clock`.
  func audit(
    after cursor: PathKey?, clock: String, limit: Int
  ) throws(FolderEngineError) -> AuditPart

  /// Looks again at what an audit found suspect: `Folder.confirm`.
  func confirm(
    _ suspects: [AuditSuspect], clock: String
  ) throws(FolderEngineError) -> AuditVerdict

  /// What becomes of a stage that somebody reports: `StageLog.decide`.
  ///
  /// Throws `.stageEnded` for one that has ended otherwise, `.noStage` where none has begun.
  func decide(_ wish: StageWish) throws(FolderEngineError) -> StageDecision

  /// A snapshot by its id.
  func snapshot(_ id: ObjectID) throws(FolderEngineError) -> SnapshotSummary

  /// What rules have fired for, as the repository has it.
  func ruleMemory() throws(FolderEngineError) -> RuleMemory

  /// The paths of the newest snapshot that are wanted; told whether each is a directory. Reads the whole tree.
  func paths(
    where isWanted: (PathKey, Bool) -> Bool
  ) throws(FolderEngineError) -> [(key: PathKey, isDirectory: Bool)]

  /// Adds to a snapshot that is there what rules give it.
  func annotate(_ id: String, _ note: RuleNote) throws(FolderEngineError)

  /// What changed between two snapshots, as far as a guard is concerned. Reads what differs of their trees.
  func evidence(from before: String, to after: String) throws(FolderEngineError) -> GuardEvidence

  /// Records an alarm of the guard, or that it goes on: the one that came before is given then.
  func raise(
    _ alarm: Guard.Alarm, of policy: GuardPolicy, after former: GuardRecord?
  ) throws(FolderEngineError) -> GuardRecord

  /// Ends all alarms.
  func releaseGuard() throws(FolderEngineError)

  /// The alarms that hold, the newest first.
  func guardRecords() throws(FolderEngineError) -> [GuardRecord]

  /// Makes the folder's checks, on the thread that calls; `starter` runs their commands.
  var checks: @Sendable (ProgramStarter, SharedFlag) throws -> any SnapshotChecks { get }

  /// Prunes and collects the folder's repository, on the thread that calls.
  var upkeep: @Sendable (SharedFlag) throws(FolderEngineError) -> UpkeepReport { get }

  /// Gives the capture lock back.
  func close()
}

/// Opens engines.
package protocol FolderEngines: Sendable {
  /// Whose the folder's repository is; asked as the daemon's user.
  func owner(of folder: FolderConfiguration) throws(FolderEngineError) -> FolderOwner

  /// Opens the engine of a folder, on the thread that will use it, which acts as the owner already.
  ///
  /// `progress`: where its captures count what they have done. Throws `.locked` when another process
  /// captures the folder.
  func open(
    _ folder: FolderConfiguration, progress: WorkProgress
  ) throws(FolderEngineError) -> any FolderEngine
}

/// Whose a repository is.
package struct FolderOwner: Sendable, Hashable {
  package let uid: UInt32
  package let gid: UInt32

  package init(uid: UInt32, gid: UInt32) {
    self.uid = uid
    self.gid = gid
  }
}

/// One snapshot that is to be taken.
package struct CaptureOrder: Sendable {
  /// What the watcher says must be looked at.
  package var changes: DirtySet
  /// How much is looked at: `events` only what `changes` says, `scan` everything by stat, `full`
  /// everything is read.
  package var basis: SnapshotBasis
  package var trigger: TriggerKind
  /// The names of the rules that fired.
  package var rules: [String] = []
  package var message = ""
  package var labels: [String: String] = [:]
  package var tag: String?
  package var isPinned = false
  /// What is recorded of the snapshot beside the usual.
  package var facts: [String: [UInt8]] = [:]
  /// What rules give it.
  package var note = RuleNote()
  /// Another time than now.
  package var time: Timestamp?
  /// A snapshot is made even where nothing changed.
  package var isForced = false
  /// The user who asked; nil for the daemon's own snapshots.
  package var user: UInt32?

  package init(changes: DirtySet, basis: SnapshotBasis, trigger: TriggerKind) {
    self.changes = changes
    self.basis = basis
    self.trigger = trigger
  }
}

/// What rules give a snapshot.
package struct RuleNote: Sendable, Equatable {
  /// The names of the rules that fired.
  package var rules: [String] = []
  package var labels: [String: String] = [:]
  /// One that is taken gets a number.
  package var tags: [String] = []
  package var isPinned = false
  /// What was fired for.
  package var marks: [UInt64] = []

  package init() {}
}

/// What became of an order.
package struct CaptureResult: Sendable {
  /// The new snapshot; where nothing had changed, the one that was there. Nil when there is none.
  package var snapshot: SnapshotSummary?
  package var isCreated: Bool
  /// Entries added, modified and removed.
  package var changedEntries = 0
  /// What the repository grew by.
  package var storedBytes = 0
  /// Hot files of the set that nobody had open for writing when they were read.
  package var settledFiles: [PathKey] = []
  /// Files that somebody had open for writing, found by this look, whether it made a snapshot or not.
  package var hotFiles: [PathKey] = []
  /// What could not be captured as it is, and why, for people; its last known content is kept.
  package var problems: [Snapshot.Problem] = []
  /// Paths that nothing vouches for.
  package var uncovered: [PathKey] = []
  /// Something never held still and is to be captured again.
  package var isStillChanging = false
  /// What takes no part has changed: the folder is to be watched anew.
  package var isExclusionChanged = false
  /// The rules that fired.
  package var rules: [String] = []
  /// What a scan found and no event had told, as far as that is known.
  package var untold: [AuditVerdict.Finding] = []
  /// Of a new snapshot, what it says of itself to a guard.
  package var sample: Guard.Sample?

  package init(snapshot: SnapshotSummary?, isCreated: Bool) {
    self.snapshot = snapshot
    self.isCreated = isCreated
  }
}

/// Why an engine did not do what it was asked.
package struct FolderEngineError: Error, Sendable, Equatable, CustomStringConvertible {
  /// What decides how the daemon goes on.
  package struct Code: Sendable, Hashable {
    private enum Value {
      case refused, locked, unavailable, permissionDenied, noSpace, failed, stageEnded, noStage
    }
    private let value: Value

    /// The set does not begin where the engine's knowledge ends.
    package static let refused = Code(value: .refused)
    /// Another process captures this folder.
    package static let locked = Code(value: .locked)
    /// There is no repository, or it can't be read.
    package static let unavailable = Code(value: .unavailable)
    package static let permissionDenied = Code(value: .permissionDenied)
    package static let noSpace = Code(value: .noSpace)
    package static let failed = Code(value: .failed)
    /// A stage has an outcome already, another than the one that is reported.
    package static let stageEnded = Code(value: .stageEnded)
    /// The stage whose end is reported has not begun.
    package static let noStage = Code(value: .noStage)
  }

  package let code: Code
  /// A sentence that names the thing.
  package let message: String
  /// The path beneath the folder that it is about, for people.
  package let path: String?

  package init(_ code: Code, _ message: String, path: String? = nil) {
    self.code = code
    self.message = message
    self.path = path
  }

  /// Equality is on the code.
  package static func == (left: FolderEngineError, right: FolderEngineError) -> Bool {
    left.code == right.code
  }

  package var description: String { path.map { "\(message): \($0)" } ?? message }
}
