internal import DTMRules
internal import DTMSystem
internal import DTMWatch
internal import SystemPackage

/// Looks at paths for the rules: which version of each is there, and that nobody writes it.
final class BoundaryLook {
  /// Of a directory that moved, so many entries are looked at, and of a set so many measured: what is
  /// beyond is found with the next scan.
  private static let entryLimit = 1_000_000

  private let root: Descriptor
  private let engine: any FolderEngine
  private let isExcluded: @Sendable (PathKey, Bool) -> Bool
  /// Directories that a rule counts files in.
  private var toCount: Set<PathKey> = []
  /// What was not reported, for somebody writes it.
  private(set) var open = OpenBoundaries()

  /// Nil where the folder is not there.
  init?(_ path: FilePath, _ engine: any FolderEngine) {
    do throws(Errno) {
      root = try Descriptor.open(path, [.path, .directory])
    } catch {
      return nil
    }
    self.engine = engine
    isExcluded = engine.exclusion
  }

  // MARK: - Reporting

  /// What the watcher saw.
  func report(_ seen: BoundarySet, to rules: inout RuleEngine) {
    if seen.isEverything {
      // What was there when a rule was new is told from the rest by the scan that comes first.
      if !rules.hasNewRules { report(beneath: .root, to: &rules) }
      return
    }
    for key in seen.arrivals.sorted() { reportDirectory(key, to: &rules) }
    for key in seen.moved.sorted() { report(beneath: key, to: &rules) }
    for key in seen.listed.sorted() { report(in: key, to: &rules) }
    for (key, isArrival) in seen.files.sorted(by: { $0.key < $1.key }) {
      reportFile(key, isArrival: isArrival, to: &rules)
    }
    reportCounts(to: &rules)
  }

  /// What was open before.
  func report(_ open: OpenBoundaries, to rules: inout RuleEngine) {
    for (key, isArrival) in open.files.sorted(by: { $0.key < $1.key }) {
      reportFile(key, isArrival: isArrival, to: &rules)
    }
    toCount.formUnion(open.directories)
    reportCounts(to: &rules)
  }

  /// A file that was closed, or renamed to its name.
  private func reportFile(_ key: PathKey, isArrival: Bool, to rules: inout RuleEngine) {
    for (directory, _) in rules.countedDirectories(key) { toCount.insert(directory) }
    guard rules.fits(key, isDirectory: false), let status = status(of: key), status.kind == .file,
      !engine.takingPart([key], areDirectories: false).isEmpty, isClosed(key, isArrival: isArrival)
    else { return }
    rules.sawFile(key, version(status), isArrival: isArrival)
  }

  /// A directory that was renamed to its name.
  private func reportDirectory(_ key: PathKey, to rules: inout RuleEngine) {
    guard rules.fits(key, isDirectory: true), let status = status(of: key),
      status.kind == .directory, !engine.takingPart([key], areDirectories: true).isEmpty
    else { return }
    rules.sawDirectory(key, version(status))
  }

  /// What is in a directory that is new itself: whether it was made there or came, nobody can tell.
  private func report(in key: PathKey, to rules: inout RuleEngine) {
    forEachEntry(in: key) { entry, kind in
      if kind == .directory {
        reportDirectory(entry, to: &rules)
      } else {
        reportFile(entry, isArrival: true, to: &rules)
      }
    }
  }

  /// All that is beneath a directory, which came with it.
  private func report(beneath key: PathKey, to rules: inout RuleEngine) {
    var directories = [key]
    var left = Self.entryLimit
    while let directory = directories.popLast(), left > 0 {
      forEachEntry(in: directory) { entry, kind in
        left -= 1
        if kind == .directory {
          directories.append(entry)
          if !rules.counts(in: entry).isEmpty { toCount.insert(entry) }
        } else {
          reportFile(entry, isArrival: true, to: &rules)
        }
      }
    }
    reportCounts(to: &rules)
  }

  /// Paths of a snapshot. `before`: only those that have not changed since.
  func report(
    _ found: [(key: PathKey, isDirectory: Bool)], before: Timestamp?, to rules: inout RuleEngine
  ) {
    for (key, isDirectory) in found {
      guard let status = status(of: key), (status.kind == .directory) == isDirectory else {
        continue
      }
      if let before, Timestamp(status.changed) >= before { continue }
      if isDirectory {
        rules.sawDirectory(key, version(status))
        if !rules.counts(in: key).isEmpty { toCount.insert(key) }
      } else if status.kind == .file, before != nil || isClosed(key, isArrival: true) {
        rules.sawFile(key, version(status), isArrival: true)
      }
    }
    reportCounts(to: &rules)
  }

  /// Counts in the directories that came up.
  private func reportCounts(to rules: inout RuleEngine) {
    for directory in toCount.sorted() {
      guard let status = status(of: directory), status.kind == .directory,
        !engine.takingPart([directory], areDirectories: true).isEmpty
      else { continue }
      for pattern in rules.counts(in: directory) {
        var files: [PathKey] = []
        forEachEntry(in: directory) { entry, kind in
          if kind == .file, pattern.matches(entry, isDirectory: false) { files.append(entry) }
        }
        files = engine.takingPart(files, areDirectories: false)
        if files.isEmpty { continue }
        if engine.isOpenForWriting(files) {
          open.directories.insert(directory)
          continue
        }
        rules.counted(directory, version(status), matching: pattern, files: files.count)
      }
    }
    toCount = []
  }

  /// Keeps in mind what is not.
  private func isClosed(_ key: PathKey, isArrival: Bool) -> Bool {
    if !engine.isOpenForWriting([key]) { return true }
    open.files[key] = isArrival || open.files[key] ?? false
    return false
  }

  // MARK: - Measuring

  /// The bytes of the files of a set.
  func bytes(of set: DirtySet) -> Int {
    var total = 0
    var left = Self.entryLimit
    func add(_ key: PathKey) {
      left -= 1
      guard let status = status(of: key), status.kind == .file else { return }
      total += Int(clamping: status.size)
    }
    for mark in set.marks where left > 0 {
      add(mark.key)
      if mark.scope == .entry { continue }
      var directories = [mark.key]
      while let directory = directories.popLast(), left > 0 {
        forEachEntry(in: directory) { entry, kind in
          if kind == .directory { directories.append(entry) } else { add(entry) }
        }
      }
    }
    return total
  }

  // MARK: - The folder

  private func version(_ status: FileStatus) -> PathVersion {
    PathVersion(
      device: status.device, inode: status.inode, born: Self.nanoseconds(status.born),
      modified: Self.nanoseconds(status.modified), size: status.size)
  }

  private static func nanoseconds(_ time: FileTime) -> Int64 {
    time.seconds &* 1_000_000_000 &+ Int64(time.nanoseconds)
  }

  private func status(of key: PathKey) -> FileStatus? {
    do throws(Errno) {
      guard let parent = key.parent else { return try root.status() }
      return try root.openBeneath(parent.path, [.path, .directory]).status(of: key.name)
    } catch {
      // It is gone again, or may not be looked at: there is nothing to fire for.
      return nil
    }
  }

  /// What takes no part in snapshots is no entry.
  private func forEachEntry(in key: PathKey, _ body: (PathKey, FileKind?) -> Void) {
    do throws(Errno) {
      let listing = try DirectoryListing(
        reading: root.openBeneath(key.path, [.readOnly, .directory]))
      for index in 0..<listing.count {
        let entry = key.appending(listing.name(at: index))
        let kind = listing.kind(at: index) ?? status(of: entry)?.kind
        if !isExcluded(entry, kind == .directory) { body(entry, kind) }
      }
    } catch {
      // As above.
    }
  }
}
