internal import DTMSystem
internal import Logging
internal import SystemPackage

/// Prunes and collects a folder's repository once, on a thread of its own that stands back for others.
final class FolderUpkeeper: Sendable {
  typealias Report = @Sendable (Result<UpkeepReport, FolderEngineError>) -> Void

  private let isStopping = SharedFlag()
  private let thread: DedicatedThread

  /// `run`: called on the thread; ends soon once the flag is set.
  init(
    folder: String, run: @escaping @Sendable (SharedFlag) throws(FolderEngineError) -> UpkeepReport,
    report: @escaping Report
  ) throws(Errno) {
    let isStopping = isStopping
    thread = try DedicatedThread(named: "u-\(folder)") {
      ThreadPriority.lower()
      do throws(FolderEngineError) {
        report(.success(try run(isStopping)))
      } catch {
        if !isStopping.isSet { report(.failure(error)) }
      }
    }
  }

  var isFinished: Bool { thread.isFinished }

  /// Ends it, and waits for its thread.
  func stop() {
    isStopping.set()
    thread.join()
  }
}

/// What came of one look after a repository.
package struct UpkeepReport: Sendable, Equatable {
  package var prunedSnapshots = 0
  package var freedBytes = 0
  /// Sentences about what could not be done.
  package var remarks: [String] = []

  package init() {}

  /// Whether there is anything to tell.
  var isNews: Bool { self != UpkeepReport() }
}
