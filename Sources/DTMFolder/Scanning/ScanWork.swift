internal import DTMSystem
internal import Synchronization
internal import SystemPackage

/// What is to be done in a scan, shared between its threads: a stack with what is needed soonest
/// on top.
final class ScanWork: Sendable {
  enum Task: Sendable {
    case list(ScanDirectory)
    case look(ScanDirectory, batch: Int)
  }

  private struct Queue: Sendable {
    var stack: [Task] = []
    /// Entries looked at and not yet handed over.
    var lead = 0
    var isCancelled = false
  }

  private let root: FolderRoot
  private let leadLimit: Int
  private let openLimit: Int
  private let queue = Monitor(Queue())
  /// Directories that are kept open.
  private let open = Atomic<Int>(0)

  init(_ root: FolderRoot, leadLimit: Int, openLimit: Int) {
    self.root = root
    self.leadLimit = leadLimit
    self.openLimit = openLimit
  }

  /// Adds tasks; the first is needed soonest.
  func add(_ tasks: [Task]) {
    queue.update { $0.stack.append(contentsOf: tasks.reversed()) }
  }

  func cancel() {
    queue.update { $0.isCancelled = true }
  }

  /// The helper's loop: does what is next until the scan is over.
  func runAhead() {
    while true {
      let next: Task?? = queue.wait { queue in
        if queue.isCancelled { return .some(nil) }
        if queue.lead >= leadLimit { return nil }
        return queue.stack.popLast().map { .some($0) }
      }
      guard let task = next ?? nil else { return }
      run(task)
    }
  }

  // MARK: - The calling thread

  /// A directory's content, listed by whoever is quicker.
  func content(of directory: ScanDirectory) -> ScanDirectory.Content {
    run(.list(directory))
    return waiting {
      directory.state.withLock { state in
        if case .unlisted = state.content { return nil }
        return state.content
      }
    }
  }

  /// The entries of a batch, which are handed out once.
  func batch(_ index: Int, of directory: ScanDirectory) -> [ScanDirectory.Entry] {
    run(.look(directory, batch: index))
    return waiting {
      directory.state.withLock { state in
        let entries = state.batches[index].entries
        if entries != nil { state.batches[index].entries = [] }
        return entries
      }
    }
  }

  /// So many entries less are waiting.
  func handedOver(_ count: Int) {
    if count == 0 { return }
    let frees = queue.withLock { queue in
      let before = queue.lead
      queue.lead -= count
      return before >= leadLimit && queue.lead < leadLimit
    }
    if frees { queue.update { _ in } }
  }

  /// A directory and all beneath it has been handed over.
  func leave(_ directory: ScanDirectory) {
    let closed = directory.state.withLock { state in
      state.batches = []
      state.content = .unlisted
      return state.directory.take() != nil
    }
    if closed { open.wrappingSubtract(1, ordering: .relaxed) }
  }

  /// Does other work until `result` gives something.
  private func waiting<Result>(for result: () -> Result?) -> Result {
    while true {
      if let found = result() { return found }
      let step: (found: Result?, task: Task?)? = queue.wait { queue in
        if let found = result() { return (found, nil) }
        if let task = queue.stack.popLast() { return (nil, task) }
        return nil
      }
      if let found = step?.found { return found }
      if let task = step?.task { run(task) }
    }
  }

  // MARK: - Tasks

  private func run(_ task: Task) {
    switch task {
    case .list(let directory):
      let isMine = directory.state.withLock { state in
        defer { state.isClaimed = true }
        return !state.isClaimed
      }
      if isMine { list(directory) }
    case .look(let directory, let batch):
      let listing: DirectoryListing? = directory.state.withLock { state in
        guard batch < state.batches.count, !state.batches[batch].isClaimed,
          case .listed(let listing) = state.content
        else { return nil }
        state.batches[batch].isClaimed = true
        return listing
      }
      if let listing { look(directory, listing, batch: batch) }
    }
  }

  private func list(_ directory: ScanDirectory) {
    do throws(Errno) {
      let opened = try directory.open(root)
      root.calls.add(3)
      var listing = try DirectoryListing(reading: opened.descriptor)
      root.calls.add(listing.count / 750)
      if directory.key.isRoot {
        if let index = listing.index(of: repositoryName) { listing.removeAll { $0 == index } }
      } else if listing.index(of: repositoryName) != nil {
        finish(directory, .nested)
        return
      }
      var scope = directory.state.withLock { $0.scope }
      if listing.index(of: IgnoreScope.fileName) != nil {
        scope = root.scope(scope, in: opened, directory.key)
      }
      if !scope.isEmpty { listing = pruned(listing, directory.key, scope) }
      let limit = ScanDirectory.batchLimit
      let batches = stride(from: 0, to: listing.count, by: limit).map {
        ScanDirectory.Batch(range: $0..<min($0 + limit, listing.count), isClaimed: $0 == 0)
      }
      directory.state.withLock { state in
        state.scope = scope
        state.batches = batches
        state.openBatches = batches.count
        state.directory = opened
      }
      open.wrappingAdd(1, ordering: .relaxed)
      if batches.count > 1 {
        add((1..<batches.count).map { .look(directory, batch: $0) })
      }
      finish(directory, .listed(listing))
      if batches.isEmpty {
        close(directory)
      } else {
        look(directory, listing, batch: 0)
      }
    } catch {
      finish(directory, .failed(error))
    }
  }

  private func finish(_ directory: ScanDirectory, _ content: ScanDirectory.Content) {
    queue.update { _ in directory.state.withLock { $0.content = content } }
  }

  private func pruned(
    _ listing: DirectoryListing, _ directory: PathKey, _ scope: IgnoreScope
  ) -> DirectoryListing {
    var result = listing
    result.removeAll { index in
      guard let kind = listing.kind(at: index) else { return false }
      return scope.ignores(
        directory.appending(listing.name(at: index)).bytes, isDirectory: kind == .directory)
    }
    return result
  }

  private func look(_ directory: ScanDirectory, _ listing: DirectoryListing, batch: Int) {
    var entries: [ScanDirectory.Entry] = []
    var children: [Task] = []
    do throws(Errno) {
      let opened = try directory.open(root)
      let (range, scope) = directory.state.withLock { ($0.batches[batch].range, $0.scope) }
      entries.reserveCapacity(range.count)
      root.calls.add(range.count)
      listing.forEachStatus(in: opened.descriptor, range) { index, status in
        var child: ScanDirectory?
        let isDirectory = status.kind == .directory
        if isDirectory || !scope.isEmpty {
          let key = directory.key.appending(listing.name(at: index))
          // Asked again: the listing need not know the kind.
          if !scope.isEmpty, listing.kind(at: index) != status.kind,
            scope.ignores(key.bytes, isDirectory: isDirectory)
          {
            return
          }
          if isDirectory && !root.isElsewhere(status) {
            let found = ScanDirectory(key: key, parent: directory, status: status, scope: scope)
            child = found
            children.append(.list(found))
          }
        }
        entries.append(ScanDirectory.Entry(index: index, result: .success(status), child: child))
      } failed: { index, error in
        if error == .noSuchFileOrDirectory { return }
        entries.append(ScanDirectory.Entry(index: index, result: .failure(error), child: nil))
      }
    } catch {
      // The directory can't be opened again: what was listed of it is not known any more.
      entries = []
      if error != .noSuchFileOrDirectory && error != .notDirectory {
        let range = directory.state.withLock { $0.batches[batch].range }
        entries = range.map {
          ScanDirectory.Entry(index: $0, result: .failure(error), child: nil)
        }
      }
    }
    let done = entries
    let keepsOpen = directory.state.withLock { state in
      state.openBatches -= 1
      return state.openBatches > 0 || !children.isEmpty || batch > 0
    }
    queue.update { queue in
      queue.lead += done.count
      queue.stack.append(contentsOf: children.reversed())
      directory.state.withLock { $0.batches[batch].entries = done }
    }
    if !keepsOpen || open.load(ordering: .relaxed) > openLimit { close(directory) }
  }

  private func close(_ directory: ScanDirectory) {
    let closed = directory.state.withLock { $0.directory.take() != nil }
    if closed { open.wrappingSubtract(1, ordering: .relaxed) }
  }
}
