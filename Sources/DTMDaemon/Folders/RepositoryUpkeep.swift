internal import DTMConfiguration
internal import DTMFolder
internal import DTMRepository
internal import DTMRules
internal import DTMSystem

/// Prunes a folder's history by its configuration, and frees what nobody needs any more; on the upkeeper's
/// thread alone.
struct RepositoryUpkeep {
  private let keep: KeepPolicy
  private let repository: Repository
  private let id: PackID
  private let time: any TimeSource
  private let isStopping: SharedFlag

  /// Of each span of work it rests as long.
  private static let span = Duration.milliseconds(50)

  /// So long after its beginning it waits for nobody any more.
  private static let patience = Duration.seconds(600)

  /// Opens the repository anew, as one thread's value can't be another's.
  init(
    _ keep: KeepPolicy, _ location: FolderLocation, id: PackID, time: any TimeSource,
    isStopping: SharedFlag
  ) throws(FolderEngineError) {
    self.keep = keep
    self.id = id
    self.time = time
    self.isStopping = isStopping
    do throws(RepositoryError) {
      repository = try Repository(at: location.repository)
    } catch {
      throw FolderEngineError(FolderError(error))
    }
  }

  func run() throws(FolderEngineError) -> UpkeepReport {
    var report = UpkeepReport()
    do throws(FolderError) {
      let history = try History(repository, folder: id)
      // An alarm holds everything as it is.
      if try history.retentionHold(at: time.now()) != nil { return report }
      let retention = Retention(keep.retention, calendar: LocalCalendar())
      let pruned = try history.prunePlan(retention.reasons).pruned.map(\.known.id)
      if !pruned.isEmpty {
        _ = try history.prune(pruned, uid: ThreadIdentity.current.uid, at: time.now())
      }
      report.prunedSnapshots = pruned.count
      do throws(RepositoryError) {
        let freed = try collection().run()
        report.freedBytes = max(0, freed.freedBytes)
        report.remarks = freed.remarks
      } catch {
        // Somebody else is at it, or restores: the next time is soon enough.
        if error.code != .locked { throw FolderError(error) }
      }
    } catch {
      throw FolderEngineError(error)
    }
    return report
  }

  private func collection() -> RepositoryCollection {
    var policy = CollectionPolicy.standard
    policy.grace = keep.grace
    let isStopping = isStopping
    var workBegan = ProcessClock.monotonic
    let patienceEnd = workBegan + Self.patience
    return RepositoryCollection(
      repository, policy,
      RepositoryRepair.Context(
        time: time.now(), pid: ProcessSignals.processID, uid: ThreadIdentity.current.uid),
      // Older sessions end with their snapshots, and what is condemned may as well wait until tomorrow.
      waits: {
        ThreadPause.milliseconds(100)
        return !isStopping.isSet && ProcessClock.monotonic < patienceEnd
      },
      isCancelled: {
        let worked = ProcessClock.monotonic - workBegan
        if worked > Self.span {
          ThreadPause.milliseconds(Int32(clamping: Int(worked / .milliseconds(1))))
          workBegan = ProcessClock.monotonic
        }
        return isStopping.isSet
      })
  }
}
