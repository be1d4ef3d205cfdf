internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// What became of the attempt to capture an entry.
enum CaptureOutcome {
  case captured(CapturedEntry)
  /// It is not there any more.
  case vanished
  case unreadable(Errno)
}

/// An entry as it was read.
struct CapturedEntry {
  var entry: TreeEntry
  var record: StateRecord
  var problems: [Snapshot.Problem] = []
  /// How long reading its content took.
  var took = Duration.zero
}

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
  private let caller: UInt32
  private let hasMultigrainTimes: Bool
  private var users: [UInt32: [UInt8]] = [:]
  private var groups: [UInt32: [UInt8]] = [:]

  init(_ root: FolderRoot, _ environment: CaptureEnvironment, store: any CaptureStore) {
    self.root = root
    self.environment = environment
    self.store = store
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
      if captured.record.captureClass != .changing { return captured }
      let limit = captured.took > Self.slowReading ? 1 : Self.retryDelays.count
      if tries >= limit {
        captured.problems.append(
          Snapshot.Problem(
            key: key, kind: .changing,
            detail: "it changed while it was read, \(tries + 1) times; kept as read last"))
        return captured
      }
      environment.pause(Self.retryDelays[tries])
      tries += 1
    }
  }

  /// One reading, with the class `changing` where the file was not the same before and after.
  private mutating func captureOnce(
    _ key: PathKey, _ file: borrowing Descriptor
  ) throws(Failure) -> CapturedEntry? {
    root.calls.add(4)
    let before: FileStatus
    let hasNoWriter: Bool?
    do throws(Errno) {
      before = try file.status()
      if before.kind != .file { return nil }
      hasNoWriter = try file.hasNoWriter()
    } catch { throw .system(error) }
    let started = environment.time.now()
    let clock = environment.time.monotonic()
    let (content, size, isSparse) = try read(file, before)
    let attributes: ExtendedAttributes
    let after: FileStatus
    do throws(Errno) {
      attributes = try file.extendedAttributes()
      after = try file.status()
    } catch { throw .system(error) }
    let took = environment.time.monotonic() - clock
    let isSame =
      before.changed == after.changed && before.modified == after.modified
      && before.size == after.size
    var captureClass = CaptureClass.stable
    if !isSame {
      captureClass = .changing
    } else if hasNoWriter == false {
      captureClass = .hot
    } else if hasNoWriter == true && hasMultigrainTimes {
      captureClass = .proven
    }
    let record = StateRecord(
      after, rootDevice: root.device, captureClass: captureClass,
      isRacy: captureClass != .proven && isRecent(after, started))
    var captured = try captured(
      key, .file, after, content, size: UInt64(size), attributes, isSparse: isSparse,
      record: record)
    captured.took = took
    return captured
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
    _ file: borrowing Descriptor, _ status: FileStatus
  ) throws(Failure) -> (Content, size: Int, isSparse: Bool) {
    guard let size = Int(exactly: status.size) else { throw .system(.fileTooLarge) }
    var reading = FileReading(store, calls: root.calls, progress: environment.progress)
    let isFull =
      size <= ContentBuilder.inlineLimit || status.blocks >= (status.size + 511) / 512
    if isFull {
      try reading.append(file, 0..<size)
    } else {
      try reading.appendSparse(file, size)
    }
    return try reading.finish()
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
