internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Captures single entries: reads what stands behind a name, and says what vouches for it
/// (design: Capture that never lies).
struct EntryCapture {
  /// Waits before a file is read again that changed while it was read.
  static let retryDelays: [Duration] = [.milliseconds(10), .milliseconds(50), .milliseconds(200)]
  /// A file whose reading takes longer is read again once only.
  private static let slowReading = Duration.seconds(2)
  /// How often a name is looked at again that turns into another kind of thing meanwhile.
  private static let kindLimit = 4

  /// Why an entry was not captured: it could not be read, or it could not be stored.
  enum Failure: Error {
    case system(Errno)
    case store(FolderError)
  }

  private let root: FolderRoot
  private let environment: CaptureEnvironment
  private let store: any CaptureStore
  private let clones: CloneHome?
  private let caller: UInt32
  private let hasMultigrainTimes: Bool
  /// Files that are mapped writable while no lease tells of it, and when they were looked for.
  private var mappings: (found: SharedMappings, at: Timestamp)?
  private var users: [UInt32: [UInt8]] = [:]
  private var groups: [UInt32: [UInt8]] = [:]

  /// `clones`: where files that are open for writing are cloned to; nil: they are read in place.
  init(
    _ root: FolderRoot, _ environment: CaptureEnvironment, store: any CaptureStore,
    clones: CloneHome? = nil
  ) {
    self.root = root
    self.environment = environment
    self.store = store
    self.clones = clones
    caller = ThreadIdentity.current.uid
    hasMultigrainTimes =
      environment.hasMultigrainTimes && root.fileSystem.canHaveMultigrainTimes
  }

  /// Captures a name in an open directory, or that directory itself under the empty key.
  ///
  /// `status`: how it looked a moment ago. Blocks, and pauses where a file changes.
  mutating func capture(
    _ key: PathKey, in directory: OpenEntry, _ status: FileStatus
  ) throws(FolderError) -> CaptureOutcome {
    var status = status
    do throws(Failure) {
      for _ in 0..<Self.kindLimit {
        if status.kind == .file {
          if let captured = try captureFile(key, in: directory, status) {
            return .captured(captured)
          }
        } else {
          let captured = try captureOther(key, in: directory, status)
          if key.isRoot { return .captured(captured) }
          let now = try onSystem { () throws(Errno) in
            try root.status(of: key.name, in: directory)
          }
          guard let now else { return .vanished }
          // A directory's time moves with what is in it; the next snapshot has it.
          if now.kind == status.kind && (now.changed == status.changed || now.kind == .directory) {
            return .captured(captured)
          }
        }
        let now = try onSystem { () throws(Errno) in
          try root.status(of: key.name, in: directory)
        }
        guard let now else { return .vanished }
        status = now
      }
      return .unreadable(.resourceTemporarilyUnavailable)
    } catch {
      switch error {
      case .system(.noSuchFileOrDirectory): return .vanished
      case .system(let error): return .unreadable(error)
      case .store(let error): throw error
      }
    }
  }

  // MARK: - Everything but files

  private mutating func captureOther(
    _ key: PathKey, in directory: OpenEntry, _ status: FileStatus
  ) throws(Failure) -> CapturedEntry {
    guard let kind = status.kind else { throw .system(.notSupported) }
    var content = Content.none
    var size: UInt64 = 0
    switch kind {
    case .symlink:
      root.calls.add()
      let target = try onSystem { () throws(Errno) in
        try directory.descriptor.readLink(key.name)
      }
      content = .target(target)
      size = UInt64(target.count)
    case .characterDevice, .blockDevice:
      content = .device(major: status.specialMajor, minor: status.specialMinor)
    case .file, .directory, .fifo, .socket: break
    }
    root.calls.add()
    let attributes = try onSystem { () throws(Errno) in
      key.isRoot
        ? try directory.descriptor.extendedAttributes()
        : try directory.descriptor.extendedAttributes(of: key.name)
    }
    let record = StateRecord(
      status, rootDevice: root.device, captureClass: hasMultigrainTimes ? .proven : .stable,
      isRacy: !hasMultigrainTimes && isRecent(status, environment.time.now()))
    return try captured(key, kind, status, content, size: size, attributes, record: record)
  }

  // MARK: - Files

  /// Nil where it is no file any more.
  private mutating func captureFile(
    _ key: PathKey, in directory: OpenEntry, _ status: FileStatus
  ) throws(Failure) -> CapturedEntry? {
    var tries = 0
    while true {
      root.calls.add()
      let opened = try onSystem { () throws(Errno) in
        try open(key.name, in: directory, owner: status.uid)
      }
      guard let file = opened else { return nil }
      let attempt = try captureOnce(key, file.descriptor)
      guard var captured = attempt else { return nil }
      let isChanging = captured.record.captureClass == .changing
      if !isChanging && !captured.isYoung { return captured }
      let limit = captured.took > Self.slowReading ? 1 : Self.retryDelays.count
      if tries >= limit {
        captured.problems.append(
          Snapshot.Problem(
            key: key, kind: .changing,
            detail: isChanging
              ? "it changed while it was read, \(tries + 1) times; kept as read last"
              : "it is written again and again; kept as read last"))
        return captured
      }
      environment.pause(
        max(Self.retryDelays[tries], captured.isYoung ? environment.tick * 3 : .zero))
      tries += 1
    }
  }

  /// Whether a change of a file always shows in its times: a store through a mapping moves none on
  /// tmpfs.
  private var timesTell: Bool { hasMultigrainTimes && root.fileSystem != .tmpfs }

  /// One reading, with the class `changing` where the file was not the same before and after.
  private mutating func captureOnce(
    _ key: PathKey, _ file: borrowing Descriptor
  ) throws(Failure) -> CapturedEntry? {
    root.calls.add(4)
    let before = try onSystem { () throws(Errno) in try file.status() }
    if before.kind != .file { return nil }
    let started = environment.time.now()
    let clock = environment.time.monotonic()
    // Where times don't tell, nobody gets in while it is read.
    var hasNoWriter = try onSystem { () throws(Errno) in
      timesTell ? try file.hasNoWriter() : try file.beginLease()
    }
    let holdsLease = hasNoWriter == true && !timesTell
    if hasNoWriter == true, isMapped(key, before) { hasNoWriter = false }
    if hasNoWriter == false, before.size >= UInt64(FileReading.pieceLength),
      let clone = clones?.clone(of: file, root.calls)
    {
      return try captureClone(key, of: file, clone.descriptor, since: clock)
    }
    var reading = FileReading(
      store, calls: root.calls, progress: environment.progress,
      FileReading.Manner(sparesCache: root.fileSystem.keepsPages, holdsLease: holdsLease))
    try read(file, before, &reading)
    let attributes: ExtendedAttributes
    let after: FileStatus
    do throws(Errno) {
      attributes = try file.extendedAttributes()
      after = try file.status()
    } catch { throw .system(error) }
    var isSame =
      before.changed == after.changed && before.modified == after.modified
      && before.size == after.size
    if holdsLease {
      root.calls.add(2)
      if reading.hasLostLease || !file.holdsLease { isSame = false }
      file.endLease()
    }
    reading.forgetCold(file)
    var captureClass = CaptureClass.stable
    if !isSame {
      captureClass = .changing
    } else if hasNoWriter == false {
      captureClass = .hot
    } else if hasNoWriter == true && hasMultigrainTimes {
      captureClass = .proven
    }
    let isRecent = captureClass != .proven && isRecent(after, started)
    var captured = try captured(
      key, after, attributes, reading, captureClass, isRacy: isRecent)
    captured.took = environment.time.monotonic() - clock
    captured.isYoung =
      isRecent && hasNoWriter == nil && !hasMultigrainTimes && !root.fileSystem.isRemote
      && after.changed.nanoseconds != 0
    captured.problems += sizeProblem(key, file, after, captured)
    return captured
  }

  /// A file that is open for writing, as it was when it was cloned.
  private mutating func captureClone(
    _ key: PathKey, of file: borrowing Descriptor, _ clone: borrowing Descriptor,
    since clock: Duration
  ) throws(Failure) -> CapturedEntry {
    let attributes: ExtendedAttributes
    let status: FileStatus
    let cloned: FileStatus
    do throws(Errno) {
      status = try file.status()
      attributes = try file.extendedAttributes()
      cloned = try clone.status()
    } catch { throw .system(error) }
    var reading = FileReading(
      store, calls: root.calls, progress: environment.progress, FileReading.Manner())
    try read(clone, cloned, &reading)
    var captured = try captured(key, status, attributes, reading, .hot, isRacy: true)
    captured.took = environment.time.monotonic() - clock
    return captured
  }

  /// Whether somebody has a file mapped writable on overlayfs, whose leases see open descriptors
  /// alone.
  private mutating func isMapped(_ key: PathKey, _ status: FileStatus) -> Bool {
    guard root.fileSystem == .overlay else { return false }
    // Who dirtied a page before that look, and still has it, was seen.
    let margin = environment.tick * 2
    if mappings.map({ Timestamp(status.changed).advanced(by: margin) >= $0.at }) ?? true {
      let now = environment.time.now()
      mappings = (SharedMappings.find(), now)
    }
    return mappings?.found.mayHold(inode: status.inode, path: key.path) ?? false
  }

  /// What a size says that is not what the file holds, as in /proc and in some file systems of
  /// programs.
  private func sizeProblem(
    _ key: PathKey, _ file: borrowing Descriptor, _ status: FileStatus, _ captured: CapturedEntry
  ) -> [Snapshot.Problem] {
    if root.fileSystem.canHaveMultigrainTimes || captured.record.captureClass == .changing {
      return []
    }
    if captured.entry.size < status.size {
      return [
        Snapshot.Problem(
          key: key, kind: .unsupported,
          detail: "it ends after \(captured.entry.size) bytes, though its size is \(status.size)")
      ]
    }
    root.calls.add()
    do throws(Errno) {
      if try file.read(at: Int(clamping: status.size), count: 1).isEmpty { return [] }
      // It may have grown by now.
      if try file.status().size != status.size { return [] }
    } catch { return [] }
    return [
      Snapshot.Problem(
        key: key, kind: .unsupported,
        detail: "it goes on after its size, \(status.size) bytes; kept up to there")
    ]
  }

  /// Nil where a link or a socket stands in its place now.
  private func open(
    _ name: [UInt8], in directory: OpenEntry, owner: UInt32
  ) throws(Errno) -> OpenEntry? {
    do throws(Errno) {
      // O_NOATIME is for the owner and for root.
      if owner == caller || caller == 0 {
        do throws(Errno) {
          return OpenEntry(
            try directory.descriptor.openOnSameMount(
              name, [.readOnly, .nonBlocking, .noAccessTime]))
        } catch {
          if error != .notPermitted { throw error }
        }
      }
      return OpenEntry(
        try directory.descriptor.openOnSameMount(name, [.readOnly, .nonBlocking]))
    } catch {
      // ELOOP, ENXIO.
      if error == .tooManySymbolicLinkLevels || error == .noSuchAddressOrDevice { return nil }
      throw error
    }
  }

  /// Reads at most the bytes that the file had when it was opened.
  private func read(
    _ file: borrowing Descriptor, _ status: FileStatus, _ reading: inout FileReading
  ) throws(Failure) {
    guard let size = Int(exactly: status.size) else { throw .system(.fileTooLarge) }
    let isFull =
      size <= ContentBuilder.inlineLimit || status.blocks >= (status.size + 511) / 512
    if isFull {
      try reading.append(file, 0..<size)
    } else {
      try reading.appendSparse(file, size)
    }
  }

  private mutating func captured(
    _ key: PathKey, _ status: FileStatus, _ attributes: ExtendedAttributes,
    _ reading: consuming FileReading, _ captureClass: CaptureClass, isRacy: Bool
  ) throws(Failure) -> CapturedEntry {
    let (content, size, isSparse) = try reading.finish()
    let record = StateRecord(
      status, rootDevice: root.device, captureClass: captureClass, isRacy: isRacy)
    return try captured(
      key, .file, status, content, size: UInt64(size), attributes, isSparse: isSparse,
      record: record)
  }

  // MARK: - What every entry has

  private mutating func captured(
    _ key: PathKey, _ kind: FileKind, _ status: FileStatus, _ content: Content, size: UInt64,
    _ attributes: ExtendedAttributes, isSparse: Bool = false, record: StateRecord
  ) throws(Failure) -> CapturedEntry {
    let entry = TreeEntry(
      key: key, kind: kind, permissions: status.permissions, owner: user(status.uid),
      group: group(status.gid), modified: status.modified, size: size, content: content,
      inodeFlags: kind == .file || kind == .directory ? status.inodeFlags : 0,
      attributes: try stored(attributes), isSparse: isSparse, isHot: record.captureClass == .hot)
    var result = CapturedEntry(entry: entry, record: record)
    if !attributes.unreadable.isEmpty {
      let names = attributes.unreadable.map { Quoting.path($0) }.joined(separator: ", ")
      result.problems.append(
        Snapshot.Problem(
          key: key, kind: .unsupported, detail: "extended attributes that can't be read: \(names)"))
    }
    return result
  }

  private func stored(_ attributes: ExtendedAttributes) throws(Failure) -> Attributes {
    do throws(FolderError) { return try store.stored(attributes.readable) } catch {
      throw .store(error)
    }
  }

  private mutating func user(_ id: UInt32) -> Owner {
    if let name = users[id] { return Owner(id: id, name: name) }
    let name = Array((UserDirectory.name(ofUser: id) ?? "").utf8)
    users[id] = name
    return Owner(id: id, name: name)
  }

  private mutating func group(_ id: UInt32) -> Owner {
    if let name = groups[id] { return Owner(id: id, name: name) }
    let name = Array((UserDirectory.name(ofGroup: id) ?? "").utf8)
    groups[id] = name
    return Owner(id: id, name: name)
  }

  /// Whether a change after `started` may leave the file's times as they are.
  private func isRecent(_ status: FileStatus, _ started: Timestamp) -> Bool {
    RacyRule(tick: environment.tick, isRemote: root.fileSystem.isRemote)
      .isRecent(status.changed, started)
  }

  private func onSystem<Result>(
    _ body: () throws(Errno) -> Result
  ) throws(Failure) -> Result {
    do throws(Errno) { return try body() } catch { throw .system(error) }
  }
}

extension FileSystemType {
  /// Whether the pages of its files in the page cache are theirs alone, and can be read again from a
  /// disk: overlayfs keeps them with the files beneath, tmpfs nowhere else.
  fileprivate var keepsPages: Bool { self == .ext4 || self == .xfs || self == .btrfs }
}
