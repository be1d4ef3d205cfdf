package import DTMSystem
internal import Synchronization
internal import SystemPackage

/// Walks a folder, or a part of it, with two threads, and tells what is there in key order.
///
/// The calling thread hands the entries over; whenever the next one is not ready it looks at
/// directories itself. A helper thread runs ahead in the same order, bounded in entries and in
/// open directories. A directory of more than `ScanDirectory.batchLimit` names is shared. The
/// helper has the identity of the thread that calls (Linux hands it down).
package struct Scanner {
  /// Entries that the helper may be ahead of what was handed over; about 5 MB.
  private static let leadLimit = 32 * 1024
  /// Open directories that are kept to open others from; beyond, paths are walked from the root.
  private static let openLimit = 128
  /// A folder of so many names and no directory is looked at sooner than a thread is there.
  private static let fewNames = 64

  private let root: FolderRoot
  private let scope: IgnoreScope
  private let usesHelper: Bool

  /// `scope`: what the configuration ignores; `usesHelper`: false for small parts, where a thread
  /// costs more than it saves.
  package init(_ root: FolderRoot, ignoring scope: IgnoreScope, usesHelper: Bool = true) {
    self.root = root
    self.scope = scope
    self.usesHelper = usesHelper
  }

  /// Calls `body` with each entry beneath a directory, and with what could not be looked at.
  ///
  /// `start`: the folder or a directory in it, which itself is not told; `status`: how it looked;
  /// `outer`: the scope of the directory that holds it, the configuration's for the folder.
  /// Ignored entries, and the folder's own repository, are left out. What vanishes meanwhile is
  /// not told either. Blocks; memory is bounded by the largest directory's names.
  package func forEach<Failure: Error>(
    beneath start: PathKey = .root, status: FileStatus? = nil, outer: IgnoreScope? = nil,
    _ body: (ScanStep) throws(Failure) -> Void
  ) throws(Failure) {
    let work = ScanWork(root, leadLimit: Self.leadLimit, openLimit: Self.openLimit)
    let first = ScanDirectory(key: start, parent: nil, status: status, scope: outer ?? scope)
    work.add([.list(first)])
    var helper: DedicatedThread?
    defer {
      work.cancel()
      helper?.join()
    }
    try handOver(first, work, body) {
      if usesHelper && helper == nil { helper = Self.startHelper(work) }
    }
  }

  private static func startHelper(_ work: ScanWork) -> DedicatedThread? {
    // Without a thread to be had, the caller does it all.
    do throws(Errno) {
      return try DedicatedThread(named: "dtm-scan") { work.runAhead() }
    } catch {
      return nil
    }
  }

  /// A directory that is being handed over, and how far.
  private struct Frame {
    let directory: ScanDirectory
    let listing: DirectoryListing
    let batchCount: Int
    var batch = 0
    var entries: [ScanDirectory.Entry] = []
    var next = 0
  }

  /// `getHelp`: called when there is work for another thread, maybe several times.
  private func handOver<Failure: Error>(
    _ first: ScanDirectory, _ work: ScanWork, _ body: (ScanStep) throws(Failure) -> Void,
    getHelp: () -> Void
  ) throws(Failure) {
    var frames: [Frame] = []
    try enter(first, &frames, work, body)
    if let frame = frames.first, frame.listing.count > Self.fewNames { getHelp() }
    while var frame = frames.popLast() {
      if frame.next == frame.entries.count {
        work.handedOver(frame.entries.count)
        if frame.batch == frame.batchCount {
          work.leave(frame.directory)
          continue
        }
        frame.entries = work.batch(frame.batch, of: frame.directory)
        frame.batch += 1
        frame.next = 0
        frames.append(frame)
        continue
      }
      let entry = frame.entries[frame.next]
      frame.next += 1
      let directory = frame.directory
      var key = PathKey(bytes: [])
      key.bytes.reserveCapacity(directory.key.bytes.count + 32)
      key.bytes += directory.key.bytes
      if !directory.key.isRoot { key.bytes.append(0) }
      frame.listing.appendName(at: entry.index, to: &key.bytes)
      frames.append(frame)
      switch entry.result {
      case .failure(let error):
        try body(
          ScanStep(finding: .unreadable(error), key: key, status: nil, directory: directory))
      case .success(let status):
        let isElsewhere = root.isElsewhere(status)
        try body(
          ScanStep(
            finding: isElsewhere ? .mounted : .entry, key: key, status: status,
            directory: directory))
        if let child = entry.child {
          getHelp()
          try enter(child, &frames, work, body)
        }
      }
    }
  }

  /// Waits until a directory is listed, and puts it on top.
  private func enter<Failure: Error>(
    _ directory: ScanDirectory, _ frames: inout [Frame], _ work: ScanWork,
    _ body: (ScanStep) throws(Failure) -> Void
  ) throws(Failure) {
    switch work.content(of: directory) {
    case .unlisted:
      return
    case .listed(let listing):
      let batches = directory.state.withLock { $0.batches.count }
      frames.append(Frame(directory: directory, listing: listing, batchCount: batches))
    case .nested:
      try body(
        ScanStep(
          finding: .nested, key: directory.key, status: nil,
          directory: directory.parent ?? directory))
    case .failed(let error):
      // It was there a moment ago: gone, or no directory any more.
      if error == .noSuchFileOrDirectory || error == .notDirectory { return }
      try body(
        ScanStep(
          finding: .unreadableContent(error), key: directory.key, status: nil,
          directory: directory.parent ?? directory))
    }
  }
}
