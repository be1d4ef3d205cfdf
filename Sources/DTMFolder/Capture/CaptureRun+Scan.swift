internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

extension CaptureRun {
  /// Compares the whole folder.
  func scanAll() throws(FolderError) {
    try lookAtRoot()
    try scan(beneath: .root, status: nil, outer: scope)
  }

  /// The folder's own entry.
  func lookAtRoot() throws(FolderError) {
    let status: FileStatus
    let directory: OpenEntry
    do throws(Errno) {
      status = try root.currentStatus()
      directory = try root.openDirectory(.root)
    } catch { throw FolderError(error, "look at", "the folder", path: .root) }
    let before = try knownRecord(.root).map { KnownEntries.Known(key: .root, record: $0) }
    try look(.root, status, .opened(directory), before)
  }

  /// Compares what is beneath a directory with what is known of it.
  ///
  /// `outer`: the scope of the directory that holds it; the configuration's for the folder.
  func scan(
    beneath start: PathKey, status: FileStatus?, outer: IgnoreScope
  ) throws(FolderError) {
    var before: KnownEntries? = try knownEntries(beneath: start)
    let scanner = Scanner(root, ignoring: scope)
    try scanner.forEach(beneath: start, status: status, outer: outer) {
      step throws(FolderError) in try merge(step, &before)
    }
    while let next = before?.current {
      try gone(next)
      try advance(&before)
    }
  }

  /// All that is beneath a directory is not there any more.
  func goneBeneath(_ key: PathKey) throws(FolderError) {
    var before: KnownEntries? = try knownEntries(beneath: key)
    while let next = before?.current {
      try gone(next)
      try advance(&before)
    }
  }

  private func knownEntries(beneath key: PathKey) throws(FolderError) -> KnownEntries? {
    try onState { () throws(StateFailure) in
      if let known { return try KnownEntries(known, beneath: key) }
      if let base { return try KnownEntries(base, beneath: key) }
      return nil
    }
  }

  private func advance(_ before: inout KnownEntries?) throws(FolderError) {
    try onState { () throws(StateFailure) in try before?.advance() }
  }

  private func merge(
    _ step: ScanStep, _ before: inout KnownEntries?
  ) throws(FolderError) {
    let isContent =
      switch step.finding {
      case .unreadableContent, .nested: true
      case .entry, .unreadable, .mounted: false
      }
    var order = before?.comparison(with: step.key) ?? 1
    while order < 0 || (isContent && order == 0), let next = before?.current {
      try gone(next)
      try advance(&before)
      order = before?.comparison(with: step.key) ?? 1
    }
    if isTooLong(step.key) { return }
    let known = order == 0 ? before?.current(as: step.key) : nil
    if known != nil { try advance(&before) }
    if let swapped, step.key.isBeneath(swapped) || (isContent && step.key == swapped) {
      if let known { try gone(known) }
      return
    }
    switch step.finding {
    case .entry:
      if let status = step.status {
        try look(step.key, status, .scanned(step.directory), known)
      }
    case .nested:
      findings.nested.append(step.key)
    case .unreadable(let error):
      unreadable(step.key, error, known)
      try carryBeneath(step.key, &before)
    case .unreadableContent(let error):
      unreadable(step.key, error, nil)
      try carryBeneath(step.key, &before)
    case .mounted:
      uncover(step.key)
      if known == nil, let status = step.status, status.kind == .directory {
        try look(step.key, status, .scanned(step.directory), nil)
      }
      carry(known)
      try carryBeneath(step.key, &before)
    }
  }

  private func carryBeneath(
    _ key: PathKey, _ before: inout KnownEntries?
  ) throws(FolderError) {
    while let next = before?.current, next.key.isBeneath(key) {
      carry(next)
      try advance(&before)
    }
  }
}
