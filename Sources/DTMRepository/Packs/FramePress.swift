internal import DTMSystem
internal import SystemPackage

/// Packs frames in threads of its own, and gives them back in the order in which they came.
///
/// Compressing, unpacking again and hashing are nearly all that writing packs anew costs; reading and
/// writing them stays with the caller, whose calls come in the same order however fast the threads are.
package final class FramePress {
  /// A whole frame's header, and its bytes with the header's.
  package typealias Frame = (header: FrameHeader, bytes: [UInt8])

  private struct Job: Sendable {
    let number: Int
    let builder: FrameBuilder
  }

  private struct State: Sendable {
    var waiting: [Job] = []
    var done: [Int: Result<Frame, RepositoryError>] = [:]
    var isEnded = false

    enum Next {
      case pack(Job)
      case end
    }

    /// What a thread does next; nil when it has to wait.
    mutating func next() -> Next? {
      if isEnded { return .end }
      if waiting.isEmpty { return nil }
      return .pack(waiting.removeFirst())
    }
  }

  private let level: Int
  private let state = Monitor(State())
  private var threads: [DedicatedThread] = []
  /// Numbers of the frames that were handed in, and of those that were given back.
  private var submitted = 0
  private var returned = 0

  /// `level`: zstd's. Where the system gives no threads, the caller's does the work.
  package init(level: Int, threads count: Int) {
    self.level = level
    let state = state
    for _ in 0..<count {
      do throws(Errno) {
        threads.append(try DedicatedThread(named: "dtm-pack") { Self.work(state, level: level) })
      } catch {
        break
      }
    }
  }

  deinit { state.update { $0.isEnded = true } }

  /// How many frames were handed in and not yet given back.
  package var count: Int { submitted - returned }

  /// Hands in what a frame is to hold; `zstd` is the calling thread's.
  package func submit(_ builder: FrameBuilder, _ zstd: Zstd) {
    let number = submitted
    submitted += 1
    if threads.isEmpty {
      let frame = Self.pack(builder, level: level) { zstd }
      state.withLock { $0.done[number] = frame }
    } else {
      state.update { $0.waiting.append(Job(number: number, builder: builder)) }
    }
  }

  /// Waits for the oldest frame that is still out; nil when there is none. Throws as
  /// `FrameBuilder.finish` does.
  package func next() throws(RepositoryError) -> Frame? {
    if count == 0 { return nil }
    let number = returned
    returned += 1
    let frame: Result<Frame, RepositoryError>? = state.wait { $0.done.removeValue(forKey: number) }
    return try frame?.get()
  }

  private static func work(_ state: Monitor<State>, level: Int) {
    let zstd = Result<Zstd, RepositoryError> { () throws(RepositoryError) in try Zstd() }
    while true {
      guard case .pack(let job)? = state.wait(for: { $0.next() }) else { return }
      let frame = pack(job.builder, level: level) { () throws(RepositoryError) in try zstd.get() }
      state.update { $0.done[job.number] = frame }
    }
  }

  private static func pack(
    _ builder: FrameBuilder, level: Int, _ zstd: () throws(RepositoryError) -> Zstd
  ) -> Result<Frame, RepositoryError> {
    Result { () throws(RepositoryError) in
      var builder = builder
      return try builder.finish(try zstd(), level: level)
    }
  }
}
