import CLinux
import DTMSystem
import DTMTestSupport
import DTMWatch
import Glibc
import SystemPackage
import Testing

/// What is missing is not deleted.
@Suite(.serialized, .timeLimit(.minutes(60))) struct RootTests {
  private func isHeld(_ watcher: FolderWatcher, _ reason: HoldReason) throws -> Bool {
    try watcher.barrier()
    var refused = false
    do {
      _ = try watcher.take()
    } catch {
      refused = error.code == .held
    }
    return refused && watcher.status.condition == .held(reason)
  }

  private func isScanned(_ watcher: FolderWatcher) throws -> Bool {
    try watcher.barrier()
    return try watcher.waitUntilArmed(within: .seconds(10)) == .watching
      && watcher.take().basis == .scan
  }

  private func filled() throws -> Playground {
    let playground = try Playground()
    playground.make("folder/a")
    playground.write("folder/a/file")
    return playground
  }

  @Test func `a folder that is renamed away is held, and scanned when it is back`() throws {
    let playground = try filled()
    let watcher = try playground.watcher()
    playground.rename("folder", "away")
    #expect(try isHeld(watcher, .gone))
    playground.write("away/a/unseen")
    playground.rename("away", "folder")
    #expect(try isScanned(watcher))
    playground.write("folder/a/seen")
    #expect(try watcher.next().marks.map(\.key) == [key("a/seen")])
  }

  @Test func `the return of a folder is noticed without being asked`() throws {
    let playground = try filled()
    let watcher = try playground.watcher()
    playground.rename("folder", "away")
    #expect(watcher.wait(within: .seconds(10)) { $0.condition == .held(.gone) })
    playground.rename("away", "folder")
    #expect(watcher.wait(within: .seconds(10)) { $0.condition == .watching })
  }

  @Test func `a removed folder is held, and goes on when it has content again`() throws {
    let playground = try filled()
    let watcher = try playground.watcher()
    playground.removeAll("folder")
    #expect(try isHeld(watcher, .gone))
    playground.make("folder")
    #expect(try isHeld(watcher, .empty))
    playground.write("folder/restored")
    #expect(watcher.wait(within: .seconds(10)) { $0.condition == .watching })
    #expect(try watcher.next().basis == .scan)
    playground.write("folder/more")
    #expect(try watcher.next().marks.map(\.key) == [key("more")])
  }

  @Test func `a folder that is removed and made again between two barriers is another one`() throws
  {
    let playground = try filled()
    let watcher = try playground.watcher()
    watcher.setReaderSuspended(true)
    playground.removeAll("folder")
    // ext4 gives it the inode number of the former one.
    playground.make("folder")
    watcher.setReaderSuspended(false)
    #expect(try isHeld(watcher, .empty))
  }

  @Test func `an empty folder in the place of the former one is held until it is accepted`() throws
  {
    let playground = try filled()
    let watcher = try playground.watcher()
    playground.make("other")
    playground.exchange("folder", "other")
    #expect(try isHeld(watcher, .empty))
    #expect(try isHeld(watcher, .empty))
    watcher.accept()
    #expect(try isScanned(watcher))
    playground.write("folder/new")
    #expect(try watcher.next().marks.map(\.key) == [key("new")])
  }

  @Test func `another folder with content is scanned, never taken as a change of the former`()
    throws
  {
    let playground = try filled()
    let watcher = try playground.watcher()
    playground.make("other")
    playground.write("other/x")
    playground.exchange("folder", "other")
    #expect(try isScanned(watcher))
    playground.write("folder/y")
    #expect(try watcher.next().marks.map(\.key) == [key("y")])
    playground.write("other/a/unseen")
    #expect(try watcher.next().isEmpty)
  }

  @Test func `removing what is in a folder is a change, not a loss`() throws {
    let playground = try filled()
    let watcher = try playground.watcher()
    playground.removeAll("folder/a")
    let set = try watcher.next()
    #expect(set.basis == .events && set.covers(key("a/file")))
    #expect(watcher.status.condition == .watching)
  }

  @Test func `a renamed directory above takes the folder away`() throws {
    let playground = try filled()
    playground.make("up")
    playground.rename("folder", "up/inner")
    let watcher = try FolderWatcher(
      path: playground.base.appending("up").appending("inner"), isExcluded: { _, _ in false })
    try watcher.start()
    #expect(watcher.waitUntilArmed(within: .seconds(10)) == .watching)
    playground.rename("up", "down")
    #expect(watcher.wait(within: .seconds(10)) { $0.condition == .held(.gone) })
    playground.rename("down", "up")
    #expect(watcher.wait(within: .seconds(10)) { $0.condition == .watching })
  }

  @Test func `a folder that is not there yet is watched when it comes`() throws {
    let playground = try Playground()
    playground.rename("folder", "away")
    let watcher = try FolderWatcher(path: playground.folder, isExcluded: { _, _ in false })
    try watcher.start()
    #expect(watcher.waitUntilArmed(within: .seconds(10)) == .held(.gone))
    playground.make("folder")
    #expect(watcher.wait(within: .seconds(10)) { $0.condition == .watching })
    #expect(try watcher.next().basis == .scan)
  }

  @Test func `an empty folder that had content by its last snapshot is held from the start`()
    throws
  {
    let playground = try Playground()
    var options = FolderWatcher.Options()
    options.holdsWhenEmpty = true
    let watcher = try FolderWatcher(
      path: playground.folder, options: options, isExcluded: { _, _ in false })
    try watcher.start()
    #expect(watcher.waitUntilArmed(within: .seconds(10)) == .held(.empty))
  }

  @Test func `a file in the folder's place is no folder`() throws {
    let playground = try filled()
    let watcher = try playground.watcher()
    playground.rename("folder", "away")
    playground.write("folder")
    #expect(try isHeld(watcher, .notDirectory))
    playground.remove("folder")
    #expect(try isHeld(watcher, .gone))
  }

  // MARK: Mounts, in a mount namespace of a thread's own

  @Test func `a disk that is unmounted is held, and watched when it is mounted again`() throws {
    let playground = try filled()
    try inMountNamespace {
      try mountTemporary(on: playground.folder)
      playground.write("folder/on-disk")
      let watcher = try playground.watcher()
      try unmount(playground.folder)
      // Beneath the mount point there is content too: it is not the folder's.
      #expect(try isHeld(watcher, .otherFileSystem))
      watcher.accept()
      #expect(try isScanned(watcher))
      watcher.stop()
    }
  }

  @Test func `a mount over the folder holds it, and it is the same again after`() throws {
    let playground = try filled()
    try inMountNamespace {
      let watcher = try playground.watcher()
      try mountTemporary(on: playground.folder)
      #expect(try isHeld(watcher, .otherFileSystem))
      try unmount(playground.folder)
      #expect(try isScanned(watcher))
      playground.write("folder/after")
      #expect(try watcher.next().marks.map(\.key) == [key("after")])
      watcher.stop()
    }
  }

  @Test func `what is beneath a mount point is uncovered, and covered again after`() throws {
    let playground = try filled()
    try inMountNamespace {
      let watcher = try playground.watcher()
      try mountTemporary(on: playground.folder.appending("a"))
      let set = try watcher.next()
      #expect(set.basis == .events)
      #expect(watcher.wait(within: .seconds(10)) { $0.uncovered.count == 1 })
      #expect(try watcher.next().uncovered.map(\.key) == [key("a")])
      #expect(watcher.status.uncovered.map(\.reason) == [.mountPoint])
      try unmount(playground.folder.appending("a"))
      try watcher.barrier()
      #expect(
        watcher.wait(within: .seconds(10)) { $0.uncovered.isEmpty && $0.pendingDirectories == 0 })
      #expect(try watcher.next().covers(key("a/file")))
      playground.write("folder/a/after")
      #expect(try watcher.next().marks.map(\.key) == [key("a/after")])
      watcher.stop()
    }
  }

  private func mountTemporary(on path: FilePath) throws {
    let status = unsafe path.withPlatformString { unsafe mount("dtm-test", $0, "tmpfs", 0, nil) }
    try #require(status == 0)
  }

  private func unmount(_ path: FilePath) throws {
    let status = unsafe path.withPlatformString { unsafe umount2($0, 0) }
    try #require(status == 0, "\(Errno.current)")
  }
}
