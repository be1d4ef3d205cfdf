import CLinux
import DTMSystem
import DTMWatch
import Glibc
import SystemPackage
import Testing

/// A directory of a test's own, with a folder to watch in it and room beside it.
///
/// Paths are bytes relative to the base: "folder/…" is protected. Operations return whether the
/// kernel did them, since random ones may not be possible.
/// Immutable but for what is on the disk.
final class Playground: Sendable {
  let base: FilePath
  var folder: FilePath { base.appending("folder") }

  init(beneath parent: FilePath = "/tmp") throws {
    // As the programs do, for `store` tests leases.
    ProcessSignals.ignoreThoseOfFiles()
    let name = SecureRandom.bytes(8).map { String($0, radix: 16) }.joined()
    base = parent.appending("dtm-watch-\(name)")
    try #require(unsafe base.withPlatformString { unsafe mkdir($0, 0o755) } == 0)
    #expect(make("folder"))
  }

  deinit {
    _ = removeAll("")
  }

  /// Calls with a short path, however long the place's is.
  private func call(_ path: Place, _ body: (UnsafePointer<CChar>) -> Int32) -> Bool {
    if path.bytes.isEmpty {
      return unsafe base.withPlatformString { unsafe body($0) } == 0
    }
    guard let directory = try? open(path.parent) else { return false }
    let short = "/proc/self/fd/\(directory.rawValue)/"
    let bytes = (Array(short.utf8) + path.name).map { CChar(bitPattern: $0) } + [0]
    let status = unsafe bytes.withUnsafeBufferPointer { unsafe body($0.baseAddress!) }
    _ = consume directory
    return status == 0
  }

  private func call(
    _ first: Place, _ second: Place,
    _ body: (UnsafePointer<CChar>, UnsafePointer<CChar>) -> Int32
  ) -> Bool {
    unsafe call(first) { one in
      unsafe call(second) { two in unsafe body(one, two) } ? 0 : -1
    }
  }

  @discardableResult func make(_ path: Place) -> Bool {
    unsafe call(path) { unsafe mkdir($0, 0o755) }
  }

  @discardableResult func write(_ path: Place, _ bytes: [UInt8] = [1, 2, 3]) -> Bool {
    put(path, bytes, O_CREAT | O_TRUNC)
  }

  @discardableResult func append(_ path: Place, _ bytes: [UInt8] = [4, 5]) -> Bool {
    put(path, bytes, O_APPEND)
  }

  private func put(_ path: Place, _ bytes: [UInt8], _ flags: Int32) -> Bool {
    unsafe call(path) { name in
      let file = unsafe clinux_open(name, O_WRONLY | O_CLOEXEC | flags | CLINUX_O_NOFOLLOW, 0o644)
      if file < 0 { return -1 }
      let count = unsafe bytes.withUnsafeBytes {
        unsafe Glibc.write(file, $0.baseAddress, $0.count)
      }
      close(file)
      return count == bytes.count ? 0 : -1
    }
  }

  /// Opens for writing and writes; the caller closes.
  func openForWriting(_ path: Place, flags: Int32 = O_CREAT) throws -> Int32 {
    var file: Int32 = -1
    _ = unsafe call(path) { name in
      file = unsafe clinux_open(name, O_RDWR | O_CLOEXEC | flags, 0o644)
      return file < 0 ? -1 : 0
    }
    try #require(file >= 0)
    return file
  }

  @discardableResult func truncate(_ path: Place, to length: Int) -> Bool {
    unsafe call(path) { unsafe Glibc.truncate($0, length) }
  }

  @discardableResult func rename(_ old: Place, _ new: Place) -> Bool {
    unsafe call(old, new) { unsafe Glibc.rename($0, $1) }
  }

  @discardableResult func exchange(_ old: Place, _ new: Place) -> Bool {
    unsafe call(old, new) {
      unsafe clinux_renameat2(
        CLINUX_AT_FDCWD, $0, CLINUX_AT_FDCWD, $1, CLINUX_RENAME_EXCHANGE)
    }
  }

  @discardableResult func link(_ old: Place, _ new: Place) -> Bool {
    unsafe call(old, new) { unsafe Glibc.link($0, $1) }
  }

  @discardableResult func symlink(_ target: String, _ path: Place) -> Bool {
    unsafe call(path) { unsafe Glibc.symlink(target, $0) }
  }

  @discardableResult func setMode(_ path: Place, _ mode: UInt32) -> Bool {
    unsafe call(path) { unsafe chmod($0, mode) }
  }

  @discardableResult func setTimes(_ path: Place, seconds: Int) -> Bool {
    let times = [timespec(tv_sec: seconds, tv_nsec: 7), timespec(tv_sec: seconds, tv_nsec: 7)]
    return unsafe call(path) {
      unsafe utimensat(CLINUX_AT_FDCWD, $0, times, CLINUX_AT_SYMLINK_NOFOLLOW)
    }
  }

  @discardableResult func setAttribute(_ path: Place, _ value: Int) -> Bool {
    let bytes = Array("\(value)".utf8)
    return unsafe call(path) { name in
      unsafe bytes.withUnsafeBytes {
        unsafe clinux_lsetxattr(name, "user.test", $0.baseAddress, $0.count, 0)
      }
    }
  }

  /// A store through a shared mapping, which is then given up. Nothing but the last close tells of it: a
  /// program that another thread starts meanwhile has the file open too, up to its exec, and this waits
  /// for that.
  @discardableResult func store(_ path: Place) -> Bool {
    guard let directory = try? open(path.parent),
      let reader = try? directory.open(path.name, [.readOnly, .noFollow, .nonBlocking])
    else { return false }
    let isDone = unsafe call(path) { name in
      let file = unsafe clinux_open(name, O_RDWR | O_CLOEXEC | CLINUX_O_NOFOLLOW, 0)
      if file < 0 { return -1 }
      defer { _ = close(file) }
      if lseek(file, 0, SEEK_END) < 1 { return -1 }
      let pages = unsafe mmap(nil, 1, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
      guard let pages = unsafe pages, unsafe pages != MAP_FAILED else { return -1 }
      let old = unsafe pages.load(as: UInt8.self)
      unsafe pages.storeBytes(of: old &+ 1, as: UInt8.self)
      return unsafe munmap(pages, 1)
    }
    while (try? reader.hasNoWriter()) == .some(false) { sched_yield() }
    return isDone
  }

  /// A file that gets its name after it was made, and is written once more.
  @discardableResult func writeUnnamed(_ path: Place) -> Bool {
    guard let directory = try? open(path.parent),
      let file = try? directory.open(Array(".".utf8), [.readWrite, .unnamed])
    else { return false }
    guard (try? file.write([1], at: 0)) != nil else { return false }
    let isNamed = unsafe call(path) { name in
      unsafe linkat(
        CLINUX_AT_FDCWD, "/proc/self/fd/\(file.rawValue)", CLINUX_AT_FDCWD, name,
        CLINUX_AT_SYMLINK_FOLLOW)
    }
    return isNamed && (try? file.write([2, 3], at: 1)) != nil
  }

  /// Writes beside and renames over: what careful programs do.
  @discardableResult func replace(_ path: Place) -> Bool {
    let beside = path.parent.appending(path.name + Array(".new".utf8))
    return write(beside, [7, 8, 9]) && rename(beside, path)
  }

  /// cp -r.
  @discardableResult func copyAll(_ old: Place, _ new: Place) -> Bool {
    // Not into itself, without end.
    let below = old.bytes + [UInt8(ascii: "/")]
    if new.bytes.starts(with: below) || new == old { return false }
    guard let names = try? entries(old), make(new) else { return false }
    for entry in names {
      let (from, to) = (old.appending(entry.name), new.appending(entry.name))
      if entry.kind == .directory { copyAll(from, to) } else { write(to, [5]) }
    }
    return true
  }

  @discardableResult func remove(_ path: Place) -> Bool { unsafe call(path) { unsafe unlink($0) } }

  @discardableResult func removeDirectory(_ path: Place) -> Bool {
    unsafe call(path) { unsafe rmdir($0) }
  }

  /// rm -rf.
  @discardableResult func removeAll(_ path: Place) -> Bool {
    guard let names = try? entries(path) else { return remove(path) }
    for entry in names {
      let inner = path.appending(entry.name)
      if entry.kind == .directory { removeAll(inner) } else { remove(inner) }
    }
    return removeDirectory(path)
  }

  func entries(_ path: Place) throws -> [DirectoryEntry] {
    var result: [DirectoryEntry] = []
    try open(path).forEachEntry { result.append($0) }
    return result
  }

  func inode(_ path: Place) -> UInt64? {
    try? open(path.parent).status(of: path.name).inode
  }

  func open(_ path: Place) throws -> Descriptor {
    try Descriptor.open(base, [.path, .directory]).openDirectory(beneath: path.bytes)
  }

  /// Content for a folder: so many directories, ten of them in each one of the first level.
  func makeDirectories(_ count: Int) {
    for index in 0..<count {
      let outer = Place("folder/d\(index / 10)")
      if index % 10 == 0 { make(outer) } else { make(outer / "e\(index % 10)") }
    }
  }

  /// A watcher of the folder, started and armed, whose first set was taken.
  func watcher(
    options: FolderWatcher.Options = .init(), time: any TimeSource = SystemTimeSource(),
    isExcluded: @escaping @Sendable (PathKey, Bool) -> Bool = { _, _ in false },
    onActivity: @escaping @Sendable (WatchActivity) -> Void = { _ in }
  ) throws -> FolderWatcher {
    let watcher = try FolderWatcher(
      path: folder, options: options, time: time, isExcluded: isExcluded, onActivity: onActivity)
    try watcher.start()
    #expect(watcher.waitUntilArmed(within: .seconds(60)) == .watching)
    #expect(try watcher.take().basis == .scan)
    return watcher
  }
}

/// A path relative to a playground's base, as bytes.
struct Place: ExpressibleByStringInterpolation, Sendable, Hashable {
  var bytes: [UInt8]

  init(bytes: [UInt8]) { self.bytes = bytes }
  init(_ text: String) { bytes = Array(text.utf8) }
  init(stringLiteral text: String) { bytes = Array(text.utf8) }

  /// A name in this directory.
  func appending(_ name: [UInt8]) -> Place {
    Place(bytes: bytes.isEmpty ? name : bytes + [UInt8(ascii: "/")] + name)
  }

  private var cut: Int? { bytes.lastIndex(of: UInt8(ascii: "/")) }
  var parent: Place { Place(bytes: cut.map { Array(bytes[..<$0]) } ?? []) }
  var name: [UInt8] { cut.map { Array(bytes[($0 + 1)...]) } ?? bytes }

  static func / (left: Place, name: String) -> Place { left.appending(Array(name.utf8)) }
}

/// A path in the folder.
func key(_ path: String) -> PathKey { PathKey(path)! }

extension FolderWatcher {
  /// Everything up to now.
  func next() throws -> DirtySet {
    try barrier(within: .seconds(60))
    return try take()
  }
}
