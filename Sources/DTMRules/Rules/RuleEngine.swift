package import DTMSystem

/// Decides which rules fire: a value with no clock and no input or output of its own.
///
/// The caller reports what it saw, takes the firings that are ready, and reports each as `committed` with
/// the snapshot that was taken for it. What is not committed is forgotten by the next process, which sees
/// it again: a path's version, or a clock's time, fires exactly once.
package struct RuleEngine: Sendable {
  package let rules: [Rule]
  private let folder: String
  let calendar: LocalCalendar
  private let paths: PatternIndex
  private let directories: PatternIndex
  /// Rules whose `has` may count a file, by the file's name.
  private let counted: PatternIndex

  package private(set) var memory: RuleMemory
  /// What each rule waits with, for its other conditions.
  private var waiting: [[Subject]]
  /// Firings that were taken and are not committed.
  private(set) var inFlight: Set<UInt64> = []
  /// Marks of what is there and will not fire, to be recorded with the next snapshot.
  package private(set) var silentMarks: [UInt64] = []
  /// While this program brings something back, and until all of that was seen: when it began, in
  /// nanoseconds since 1970. What it made anew with an older time is no boundary: nobody but itself wrote it.
  package var ownWritesStart: Int64?
  private var files = 0
  private var bytes = 0
  private var stages: [Int: PathKey] = [:]
  /// When the rules began to be looked at: a clock's first time counts from here.
  let start: Timestamp
  private(set) var now: Timestamp

  private struct Subject: Sendable, Equatable {
    let condition: Int
    let path: PathKey
    let mark: UInt64
  }

  /// What a rule fires for; one snapshot, or labels for the one that is there.
  package struct Firing: Sendable, Hashable {
    package let rule: Int
    package let path: PathKey?
    /// What is to be recorded with the snapshot.
    package let marks: [UInt64]
  }

  /// `memory`: what was fired for before. `folder`: its name.
  package init(
    rules: [Rule], memory: RuleMemory, folder: String, calendar: LocalCalendar, at now: Timestamp
  ) {
    self.rules = rules
    self.folder = folder
    self.calendar = calendar
    start = now
    self.now = now
    var paths = PatternIndex()
    var directories = PatternIndex()
    var counted = PatternIndex()
    for (number, rule) in rules.enumerated() {
      for condition in rule.conditions {
        switch condition {
        case .marker(let pattern), .movedIn(let pattern): paths.add(pattern.hint, number)
        case .directory(let pattern, _, let matching):
          directories.add(pattern.hint, number)
          counted.add(matching.hint, number)
        case .filesChanged, .bytesChanged, .every, .at, .stage: break
        }
      }
    }
    self.paths = paths
    self.directories = directories
    self.counted = counted
    waiting = Array(repeating: [], count: rules.count)
    self.memory = memory
    self.memory.keepTimes(of: Set(rules.indices.map { clockMark($0) }))
  }

  // MARK: - What it wants to know

  /// Whether some rule is about paths at all.
  package var isAboutPaths: Bool { rules.contains(where: \.isAboutPath) }

  /// Whether a threshold has to be told how many paths changed.
  package var countsFiles: Bool {
    rules.contains { $0.conditions.contains { if case .filesChanged = $0 { true } else { false } } }
  }

  /// Whether a threshold has to be told how many bytes changed.
  package var countsBytes: Bool {
    rules.contains { $0.conditions.contains { if case .bytesChanged = $0 { true } else { false } } }
  }

  /// Whether some rule may be about a path. Any thread; called for each event of a file.
  package func mayFit(_ key: PathKey, isDirectory: Bool) -> Bool {
    if fits(key, isDirectory: isDirectory) { return true }
    return !isDirectory && !countedDirectories(key).isEmpty
  }

  /// Whether a path is one that a marker, an arrival or a directory's rule is about.
  package func fits(_ key: PathKey, isDirectory: Bool) -> Bool {
    let name = key.name
    for number in paths.candidates(name) {
      for condition in rules[number].conditions {
        switch condition {
        case .marker(let pattern):
          if !isDirectory, pattern.matches(key, isDirectory: false) { return true }
        case .movedIn(let pattern):
          if pattern.matches(key, isDirectory: isDirectory) { return true }
        default: break
        }
      }
    }
    guard isDirectory else { return false }
    return directories.candidates(name).contains { number in
      rules[number].conditions.contains {
        if case .directory(let pattern, _, _) = $0 {
          pattern.matches(key, isDirectory: true)
        } else {
          false
        }
      }
    }
  }

  /// The directory above a file that a rule counts files of, with what it counts.
  package func countedDirectories(_ file: PathKey) -> [(directory: PathKey, matching: RulePattern)]
  {
    guard let directory = file.parent, !directory.isRoot else { return [] }
    return counted.candidates(file.name).flatMap { number in
      rules[number].conditions.compactMap { condition in
        guard case .directory(let pattern, _, let matching) = condition,
          matching.matches(file, isDirectory: false), pattern.matches(directory, isDirectory: true)
        else { return nil }
        return (directory, matching)
      }
    }
  }

  /// What rules count in a directory.
  package func counts(in directory: PathKey) -> [RulePattern] {
    directories.candidates(directory.name).flatMap { number in
      rules[number].conditions.compactMap { condition in
        guard case .directory(let pattern, _, let matching) = condition,
          pattern.matches(directory, isDirectory: true)
        else { return nil }
        return matching
      }
    }
  }

  // MARK: - What it is told

  /// A file was seen that nobody writes. `isArrival`: it may have been renamed to this name.
  package mutating func sawFile(_ key: PathKey, _ version: PathVersion, isArrival: Bool) {
    saw(key, version, isDirectory: false, isArrival: isArrival)
  }

  /// A directory was renamed to this name.
  package mutating func sawDirectory(_ key: PathKey, _ version: PathVersion) {
    saw(key, version, isDirectory: true, isArrival: true)
  }

  private mutating func saw(
    _ key: PathKey, _ version: PathVersion, isDirectory: Bool, isArrival: Bool
  ) {
    for number in Set(paths.candidates(key.name)).sorted() {
      for (place, condition) in rules[number].conditions.enumerated() {
        switch condition {
        case .marker(let pattern):
          if isDirectory || !pattern.matches(key, isDirectory: false) { continue }
          // Who touches it has made another one.
          let mark = mark(number, place, key, version, isWhole: true)
          if isBroughtBack(version) {
            waiting[number].removeAll { $0.condition == place && $0.path == key }
            pass(mark)
          } else {
            wait(number, place, mark, key)
          }
        case .movedIn(let pattern):
          if !pattern.matches(key, isDirectory: isDirectory) { continue }
          // A directory's times move with each name in it.
          let mark = mark(number, place, key, version, isWhole: false)
          if isArrival, !isBroughtBack(version) {
            wait(number, place, mark, key)
          } else {
            pass(mark)
          }
        default: break
        }
      }
    }
  }

  /// A directory holds so many files that fit, and nobody writes one of them.
  package mutating func counted(
    _ directory: PathKey, _ version: PathVersion, matching: RulePattern, files: Int
  ) {
    for number in Set(directories.candidates(directory.name)).sorted() {
      for (place, condition) in rules[number].conditions.enumerated() {
        guard case .directory(let pattern, let wanted, let wantedMatching) = condition,
          wantedMatching == matching, files >= wanted,
          pattern.matches(directory, isDirectory: true)
        else { continue }
        let mark = mark(number, place, directory, version, isWhole: false)
        if isBroughtBack(version) { pass(mark) } else { wait(number, place, mark, directory) }
      }
    }
  }

  private mutating func wait(_ rule: Int, _ condition: Int, _ mark: UInt64, _ key: PathKey) {
    if memory.has(mark) || inFlight.contains(mark) { return }
    let subject = Subject(condition: condition, path: key, mark: mark)
    // Seen again it keeps its turn.
    if waiting[rule].contains(subject) { return }
    // A version that was not fired for is no more: the newest is.
    waiting[rule].removeAll { $0.condition == condition && $0.path == key }
    waiting[rule].append(subject)
  }

  private func isBroughtBack(_ version: PathVersion) -> Bool {
    if memory.isBroughtBack(version) { return true }
    guard let ownWritesStart else { return false }
    return version.modified < ownWritesStart
      && (version.born == 0 || version.born >= ownWritesStart)
  }

  /// It was made here, or brought back: it is no boundary, neither now nor after a restart.
  private mutating func pass(_ mark: UInt64) {
    if memory.has(mark) || inFlight.contains(mark) { return }
    memory.add([mark], at: now)
    silentMarks.append(mark)
  }

  /// The silent marks are on disk.
  package mutating func recordedSilentMarks() {
    silentMarks = []
  }

  /// `isWhole`: another content is another version.
  private func mark(
    _ rule: Int, _ condition: Int, _ key: PathKey, _ version: PathVersion, isWhole: Bool
  ) -> UInt64 {
    let content = isWhole ? " \(version.modified) \(version.size)" : ""
    return RuleMemory.mark([
      Array(rules[rule].name.utf8), Array("\(condition)".utf8), key.bytes,
      Array("\(version.device) \(version.inode) \(version.born)\(content)".utf8),
    ])
  }

  /// So much changed since the last snapshot.
  package mutating func changed(files: Int, bytes: Int) {
    self.files = files
    self.bytes = bytes
  }

  /// A stage begins, ends or fails. Rules with no other condition are for its own snapshot, and are
  /// returned; others wait.
  package mutating func stage(_ name: String) -> [Firing] {
    guard let key = PathKey(name), !key.isRoot else { return [] }
    var firings: [Firing] = []
    for (number, rule) in rules.enumerated() {
      let isOfStage = rule.conditions.contains {
        if case .stage(let pattern) = $0 { pattern.matches(key, isDirectory: false) } else { false }
      }
      if !isOfStage { continue }
      if rule.conditions.count == 1 {
        firings.append(Firing(rule: number, path: key, marks: []))
      } else {
        stages[number] = key
      }
    }
    return firings
  }

  /// The time is this. A clock that goes back makes nobody wait for it to come again.
  package mutating func tick(_ time: Timestamp) {
    now = time
  }

  // MARK: - What fires

  /// Takes what is ready. The caller reports each as `committed`.
  package mutating func takeFirings() -> [Firing] {
    var firings: [Firing] = []
    for number in rules.indices where holds(number) { firings += take(number) }
    return firings
  }

  private func holds(_ number: Int) -> Bool {
    for (place, condition) in rules[number].conditions.enumerated() {
      let holds =
        switch condition {
        case .marker, .movedIn, .directory: waiting[number].contains { $0.condition == place }
        case .filesChanged(let limit): files >= limit
        case .bytesChanged(let limit): bytes >= limit
        case .every, .at: (nextTime(number, condition) ?? now) <= now
        case .stage: stages[number] != nil
        }
      if !holds { return false }
    }
    let isOfPaths = rules[number].isAboutPath
    return isOfPaths || !inFlight.contains(clockMark(number))
  }

  private mutating func take(_ number: Int) -> [Firing] {
    let rule = rules[number]
    let hasClock = rule.conditions.contains {
      switch $0 {
      case .every, .at: true
      default: false
      }
    }
    let clock = hasClock ? [clockMark(number)] : []
    defer {
      waiting[number] = []
      stages[number] = nil
    }
    guard let first = waiting[number].first?.condition else {
      inFlight.insert(clockMark(number))
      return [Firing(rule: number, path: stages[number], marks: clock)]
    }
    // One for each path of the first condition; what the others waited with goes along.
    let subjects = waiting[number].filter { $0.condition == first }
    let others = waiting[number].filter { $0.condition != first }.map(\.mark)
    let firings = subjects.map { subject in
      Firing(rule: number, path: subject.path, marks: [subject.mark] + others + clock)
    }
    for firing in firings { inFlight.formUnion(firing.marks) }
    return firings
  }

  /// The snapshot of a firing is on disk, with its marks.
  package mutating func committed(_ firing: Firing, at time: Timestamp) {
    inFlight.subtract(firing.marks)
    inFlight.remove(clockMark(firing.rule))
    memory.add(firing.marks, at: time)
  }

  /// What is there already when a rule is new fires nothing: marks to be recorded.
  ///
  /// `sighting`: reports everything that the rules are about, to a copy of the engine that has no memory.
  package func armingMarks(_ sighting: (inout RuleEngine) -> Void) -> [UInt64] {
    let new = rules.indices.filter { rules[$0].isAboutPath && !memory.has(armedMark($0)) }
    if new.isEmpty { return [] }
    var blank = self
    blank.memory = RuleMemory()
    blank.waiting = Array(repeating: [], count: rules.count)
    blank.inFlight = []
    sighting(&blank)
    return new.flatMap { [armedMark($0)] + blank.waiting[$0].map(\.mark) }
  }

  /// Marks that were recorded without a firing.
  package mutating func learn(_ marks: [UInt64], at time: Timestamp) {
    memory.add(marks, at: time)
    for number in waiting.indices { waiting[number].removeAll { memory.has($0.mark) } }
  }

  /// Whether some rule about paths has never been looked at.
  package var hasNewRules: Bool {
    rules.indices.contains { rules[$0].isAboutPath && !memory.has(armedMark($0)) }
  }

  private func armedMark(_ rule: Int) -> UInt64 {
    RuleMemory.mark([Array("armed".utf8), Array(rules[rule].name.utf8)])
  }

  func clockMark(_ rule: Int) -> UInt64 {
    RuleMemory.mark([Array("clock".utf8), Array(rules[rule].name.utf8)])
  }

  // MARK: - What a snapshot is given

  /// Labels and tag of a firing.
  package func labels(of firing: Firing, at time: Timestamp) -> [String: String] {
    rules[firing.rule].labels.mapValues { $0.filled(values(firing, time)) }
  }

  /// The tag that a firing gives; nil where it gives none.
  package func tag(of firing: Firing, at time: Timestamp) -> String? {
    rules[firing.rule].tag?.filled(values(firing, time))
  }

  private func values(_ firing: Firing, _ time: Timestamp) -> RuleTemplate.Values {
    RuleTemplate.Values(
      path: firing.path, rule: rules[firing.rule].name, time: time.rfc3339, folder: folder)
  }
}
