package import DTMSystem

/// Everything that a watcher knows: a pure state machine.
///
/// Events and the crawler's findings go in, dirty sets and requests to the kernel come out. It
/// has no clock and makes no system calls, but for those of the exclusion predicate. The reader
/// thread changes it; others look at it and take sets, under one lock.
package struct WatchState: Sendable {
  // MARK: The tree

  /// The directories.
  package var nodes = NodeTable()
  /// Directories to be watched and listed, the last first. May name some that need it no longer.
  var pending: [NodeIndex] = []
  /// The one that is being listed.
  var crawling: NodeIndex = .none
  /// Moved directories whose exclusions are to be looked at again.
  var revisit: [NodeIndex] = []
  var uncovered: [NodeIndex: UncoveredReason] = [:]
  /// Watches to be removed by the reader before it adds any.
  var endedWatches: [Int32] = []
  var unsettled = Unsettled()

  // MARK: What is dirty

  var marks: DirtyMarks
  var hot: HotFiles
  let clockName: String
  /// Events and sets, counted.
  var sequence: UInt64 = 0
  var baseClock: String
  /// Where the last set ended in the sequence.
  var baseSequence: UInt64 = 0

  // MARK: Boundaries

  /// Whether a path may be a boundary: a marker, or what arrives; told whether it is a directory. Nil where
  /// nobody asks.
  package var isBoundary: (@Sendable (PathKey, Bool) -> Bool)?
  /// What was seen since it was last taken.
  var boundaries = BoundarySet()

  // MARK: The rest

  var condition: WatchCondition = .arming
  let isExcluded: @Sendable (PathKey, Bool) -> Bool
  let limits: Limits
  var counters = Counters()
  var lastEvent: Duration?
  var exchange = Exchange()
  var directoryCache = DirectoryCache()
  /// An event told of something that is not excluded.
  var hasNews = false
  /// Set by events that say that the root, or a directory above it, is another one now.
  var rootIsSuspect = false
  /// What is known of the tree cannot be right: to begin anew.
  package internal(set) var isAstray = false
  /// Set by `IN_Q_OVERFLOW`.
  var hasOverflowed = false
  /// The highest watch number that the kernel gave out to this instance.
  var highestWatch: Int32 = 0
  /// Watches on the directories above the root.
  var outerWatches: Set<Int32> = []

  /// How much is kept singly.
  package struct Limits: Sendable {
    let marks: Int
    let hotFiles: Int

    /// `marks`: of dirty paths; `hotFiles`: of files open for writing.
    package init(
      marks: Int = DirtyMarks.standardLimit, hotFiles: Int = HotFiles.standardLimit
    ) {
      self.marks = marks
      self.hotFiles = hotFiles
    }
  }

  struct Counters: Sendable {
    var events: UInt64 = 0
    var overflows = 0
    var restarts = 0
    var missedChanges = 0
    var lateChanges = 0
    var breaks: [CoverageBreak: Int] = [:]
    var folds = 0
  }

  /// What callers ask of the reader and what it answered.
  struct Exchange: Sendable {
    var requestedBarriers: UInt64 = 0
    var finishedBarriers: UInt64 = 0
    var isStopRequested = false
    var isAcceptRequested = false
    var isRestartRequested = false
    /// Tests have events thrown away, as if the kernel had lost them without a word.
    var isDropRequested = false
    /// Tests stop the reader as SIGSTOP would.
    var isSuspended = false
    /// The reader's thread has ended, with this error if it is one.
    var end: ReaderEnd?
  }

  /// The directory that the last event was about: events come in runs.
  struct DirectoryCache: Sendable {
    var watch: Int32 = -1
    var version: UInt64 = 0
    var node: NodeIndex = .none
    var key: PathKey?
    /// The last name in it that was marked and not excluded; to be skipped when it comes again.
    var lastName: [UInt8] = []
  }

  /// Begins knowing nothing; the root is not asked for before `restart()`.
  package init(
    clockName: String, limits: Limits = Limits(),
    isExcluded: @escaping @Sendable (PathKey, Bool) -> Bool
  ) {
    self.clockName = clockName
    self.limits = limits
    self.isExcluded = isExcluded
    marks = DirtyMarks(isEverything: true, limit: limits.marks)
    hot = HotFiles(limit: limits.hotFiles)
    baseClock = "\(clockName):0"
  }

  var clock: String { "\(clockName):\(sequence)" }

  /// Whether a barrier is waited for.
  var isAsked: Bool { exchange.requestedBarriers != exchange.finishedBarriers }

  /// Whether the next set has something in it.
  package var isDirty: Bool {
    !marks.isEmpty || !pending.isEmpty || !crawling.isNone || !unsettled.isEmpty || !revisit.isEmpty
  }

  /// Begins anew: nothing is known, the root is to be watched and listed.
  package mutating func restart() {
    forgetTree()
    pending = [.root]
    condition = .arming
  }

  /// Nothing is watched from now on.
  mutating func abandon(_ condition: WatchCondition) {
    forgetTree()
    self.condition = condition
  }

  private mutating func forgetTree() {
    nodes = NodeTable()
    pending = []
    crawling = .none
    revisit = []
    uncovered = [:]
    endedWatches = []
    unsettled = Unsettled()
    directoryCache = DirectoryCache()
    highestWatch = 0
    outerWatches = []
    hot.forgetDirectories()
    marks.insertEverything()
    noteLostBoundaries()
    counters.restarts += 1
    rootIsSuspect = false
    hasOverflowed = false
    isAstray = false
  }

  /// Marks a path, whatever told of it.
  mutating func mark(_ key: PathKey?, _ scope: DirtySet.Scope) {
    // Without a place in the tree there is nothing to mark: where it gets one, all of it is.
    guard let key else { return }
    marks.insert(key, scope)
  }

  /// Removes a directory with all beneath it, and their watches.
  mutating func drop(_ node: NodeIndex) {
    if node == .root { return }
    endedWatches += nodes.remove(node)
    if !uncovered.isEmpty { uncovered = uncovered.filter { nodes.isAlive($0.key) } }
  }

  /// The watches to be removed, which must be done before one is added.
  package mutating func takeEndedWatches() -> [Int32] {
    defer { endedWatches = [] }
    return endedWatches
  }

  mutating func makePending(_ node: NodeIndex) {
    nodes.setState(node, .pending)
    uncovered.removeValue(forKey: node)
    pending.append(node)
  }
}

/// How the reader's thread ended.
struct ReaderEnd: Sendable {
  let error: WatchError?
}
