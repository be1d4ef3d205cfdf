import CLinux
import DTMSystem
import Glibc
import SystemPackage
import Testing

/// What the watcher relies on, asked of the kernel (the facts marked † in the design).
@Suite(.serialized, .timeLimit(.minutes(60))) struct KernelFactsTests {
  private struct Told: Equatable, CustomStringConvertible {
    let mask: NotifyMask
    let cookie: UInt32
    let name: String

    init(_ event: NotifyEvent) {
      mask = event.mask.subtracting(.isDirectory)
      cookie = event.cookie
      name = String(decoding: event.name, as: UTF8.self)
    }

    var description: String { "\(name) \(String(mask.rawValue, radix: 16))" }
  }

  private func watch(_ playground: Playground, _ place: Place = "folder") throws -> NotifyInstance {
    let instance = try NotifyInstance()
    _ = try instance.addWatch(on: playground.open(place), .directory)
    return instance
  }

  /// Everything that stands in the queue.
  private func drain(_ instance: NotifyInstance) throws -> [Told] {
    var batch = NotifyBatch()
    var told: [Told] = []
    while try instance.readableBytes() > 0 {
      _ = try instance.read(into: &batch)
      batch.visit { told.append(Told($0)) }
    }
    return told
  }

  private func names(_ instance: NotifyInstance, _ mask: NotifyMask) throws -> [String] {
    try drain(instance).filter { !$0.mask.isDisjoint(with: mask) }.map(\.name)
  }

  @Test func `an event is queued before its system call returns`() throws {
    let playground = try Playground()
    let instance = try watch(playground)
    for index in 0..<1000 {
      playground.make("folder/d\(index)")
      #expect(try instance.readableBytes() == 32)
      #expect(try names(instance, .create) == ["d\(index)"])
    }
  }

  @Test(arguments: ["/tmp", "/dev/shm"])
  func `a directory's links count its subdirectories before an event tells`(
    parent: String
  ) throws {
    let playground = try Playground(beneath: FilePath(parent))
    let directory = try playground.open("folder")
    let type = try directory.fileSystemType()
    guard type.countsSubdirectories else {
      print("SKIPPED: links of directories on \(parent): \(type.name) does not count them")
      return
    }
    let instance = try watch(playground)
    let writer = try DedicatedThread(named: "mkdir") {
      for index in 0..<2000 {
        playground.make("folder/d\(index)")
        playground.make("out\(index)")
        playground.rename("out\(index)", "folder/e\(index)")
      }
    }
    var told = 0
    while told < 4000 {
      let isOver = writer.isFinished
      told += try names(instance, [.create, .movedTo]).count
      let counted = Int(try directory.status().links) - 2
      #expect(counted >= told)
      if counted < told || isOver { break }
    }
    writer.join()
    #expect(try Int(directory.status().links) == 2 + 4000)
    for entry in try playground.entries("folder") {
      playground.removeDirectory(Place("folder").appending(entry.name))
    }
    #expect(try directory.status().links == 2)
  }

  @Test func `a watch added on CREATE alone misses what a burst makes`() throws {
    let playground = try Playground()
    let instance = try watch(playground)
    playground.make("folder/a")
    playground.write("folder/a/missed")
    _ = try instance.addWatch(on: playground.open("folder/a"), .directory)
    #expect(try names(instance, .create) == ["a"])
    #expect(try playground.entries("folder/a").map(\.name) == [Array("missed".utf8)])
  }

  @Test func `link raises CREATE only`() throws {
    let playground = try Playground()
    playground.write("outside")
    let instance = try watch(playground)
    playground.link("outside", "folder/name")
    #expect(try drain(instance).map(\.mask) == [.create])
  }

  @Test func `a write through another name of a file raises nothing here`() throws {
    let playground = try Playground()
    playground.write("folder/name")
    playground.link("folder/name", "outside")
    let instance = try watch(playground)
    playground.append("outside")
    #expect(try drain(instance).isEmpty)
  }

  @Test func `IN_EXCL_UNLINK hides the writes of a file that is linked in later`() throws {
    for isHidden in [false, true] {
      let playground = try Playground()
      let instance = try NotifyInstance()
      // IN_EXCL_UNLINK of <linux/inotify.h>.
      let mask = isHidden ? NotifyMask.directory.union(.init(rawValue: 0x0400_0000)) : .directory
      let directory = try playground.open("folder")
      _ = try instance.addWatch(on: directory, mask)
      let file = try directory.open(Array(".".utf8), [.readWrite, .unnamed])
      let linked = unsafe linkat(
        CLINUX_AT_FDCWD, "/proc/self/fd/\(file.rawValue)", directory.rawValue, "name",
        CLINUX_AT_SYMLINK_FOLLOW)
      #expect(linked == 0)
      #expect(try names(instance, .create) == ["name"])
      try file.write([1], at: 0)
      #expect(try drain(instance).isEmpty == isHidden)
    }
  }

  @Test func `stores through a shared mapping raise nothing, and none at munmap either`() throws {
    let playground = try Playground()
    playground.write("folder/mapped", Array(repeating: 0, count: 4096))
    let file = try playground.openForWriting("folder/mapped")
    let instance = try watch(playground)
    let pages = unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    let bytes = unsafe try #require(pages)
    unsafe bytes.storeBytes(of: 7, as: UInt8.self)
    #expect(try drain(instance).isEmpty)
    close(file)
    // The mapping keeps the file open: its end is what closes it.
    #expect(try drain(instance).isEmpty)
    unsafe munmap(bytes, 4096)
    #expect(try drain(instance).map(\.mask) == [.closeWrite])
  }

  @Test func `a second store to a page that is dirty already moves no time`() throws {
    let playground = try Playground()
    playground.write("folder/mapped", Array(repeating: 0, count: 4096))
    let directory = try playground.open("folder")
    let file = try playground.openForWriting("folder/mapped")
    defer { close(file) }
    let pages = unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    let bytes = unsafe try #require(pages)
    defer { unsafe munmap(bytes, 4096) }
    let name = Array("mapped".utf8)
    // Whoever cleans pages meanwhile makes the next store move it: then once more.
    var isSame = false
    for round in 0..<20 where !isSame {
      unsafe bytes.storeBytes(of: UInt8(round), as: UInt8.self)
      let first = try directory.status(of: name)
      unsafe bytes.storeBytes(of: UInt8(100 + round), as: UInt8.self)
      isSame = try directory.status(of: name).changed == first.changed
    }
    #expect(isSame)
    #expect(unsafe bytes.load(as: UInt8.self) >= 100)
  }

  @Test func `writes without a close raise MODIFY alone, as WAL commits do`() throws {
    let playground = try Playground()
    let instance = try watch(playground)
    let file = try playground.openForWriting("folder/wal")
    for _ in 0..<3 {
      #expect(unsafe Glibc.write(file, "x", 1) == 1)
      fdatasync(file)
    }
    #expect(try drain(instance).map(\.mask) == [.create, .modify])
    close(file)
    #expect(try drain(instance).map(\.mask) == [.closeWrite])
  }

  @Test func `truncate by name raises MODIFY and no close`() throws {
    let playground = try Playground()
    playground.write("folder/f")
    let instance = try watch(playground)
    playground.truncate("folder/f", to: 1)
    #expect(try drain(instance).map(\.mask) == [.modify])
  }

  // MARK: Leases, and what vouches for a captured file

  // MARK: Names and mounts

  @Test func `a mount over a watched directory raises nothing, but the mount table tells`() throws {
    let playground = try Playground()
    playground.make("folder/a")
    try inMountNamespace {
      let instance = try self.watch(playground, "folder/a")
      let table = try MountTable()
      var entries = [PollEntry(table.descriptor, [])]
      _ = try Poll.wait(for: &entries, until: .after(.zero))
      let path = playground.folder.appending("a")
      #expect(unsafe mount("dtm-test", path.string, "tmpfs", 0, nil) == 0)
      #expect(try self.drain(instance).isEmpty)
      _ = try Poll.wait(for: &entries, until: .after(.seconds(10)))
      #expect(!entries[0].found.isEmpty)
      let points = try MountTable.mountPoints(beneath: Array(playground.folder.string.utf8))
      #expect(points == [key("a")])
      #expect(unsafe umount2(path.string, 0) == 0)
      #expect(try self.drain(instance).isEmpty)
    }
  }

  @Test func `a watch is told that its file system was unmounted`() throws {
    let playground = try Playground()
    try inMountNamespace {
      let path = playground.folder.string
      #expect(unsafe mount("dtm-test", path, "tmpfs", 0, nil) == 0)
      let instance = try NotifyInstance()
      _ = try instance.addWatch(at: playground.folder, .directory)
      #expect(unsafe umount2(path, 0) == 0)
      #expect(try self.drain(instance).map(\.mask) == [.unmount, .ignored])
    }
  }

  @Test func `a change through a bind mount is told where the directory is watched`() throws {
    let playground = try Playground()
    playground.make("other")
    try inMountNamespace {
      let other = playground.base.appending("other").string
      // MS_BIND
      #expect(unsafe mount(playground.folder.string, other, nil, 0x1000, nil) == 0)
      let instance = try self.watch(playground)
      let through = playground.base.appending("other").appending("through")
      _ = try Descriptor.open(through, [.writeOnly, .create], mode: 0o600)
      #expect(try self.names(instance, .create) == ["through"])
      #expect(unsafe umount2(other, 0) == 0)
    }
  }

  @Test func `an event that equals the last one is merged with it`() throws {
    let playground = try Playground()
    playground.write("folder/f")
    let instance = try watch(playground)
    let file = try playground.openForWriting("folder/f")
    for _ in 0..<1000 { #expect(unsafe Glibc.write(file, "x", 1) == 1) }
    close(file)
    #expect(try drain(instance).map(\.mask) == [.modify, .closeWrite])
  }

  @Test func `a rename is two events in a row with one cookie`() throws {
    let playground = try Playground()
    playground.make("folder/a")
    let instance = try watch(playground)
    playground.rename("folder/a", "folder/b")
    let told = try drain(instance)
    #expect(told.map(\.mask) == [.movedFrom, .movedTo])
    #expect(told[0].cookie == told[1].cookie && told[0].cookie != 0)
  }

  @Test func `an exchange is told as two renames, the second from a name just taken`() throws {
    let playground = try Playground()
    playground.make("folder/a")
    playground.make("folder/b")
    let instance = try watch(playground)
    playground.exchange("folder/a", "folder/b")
    let told = try drain(instance)
    #expect(told.map(\.mask) == [.movedFrom, .movedTo, .movedFrom, .movedTo])
    #expect(told.map(\.name) == ["a", "b", "b", "a"])
    #expect(told[0].cookie == told[1].cookie && told[2].cookie == told[3].cookie)
  }

  @Test func `a directory that a rename replaces is not told as deleted by its parent`() throws {
    let playground = try Playground()
    playground.make("folder/a")
    playground.make("folder/b")
    let instance = try watch(playground)
    playground.rename("folder/a", "folder/b")
    #expect(try drain(instance).map(\.mask) == [.movedFrom, .movedTo])
  }

  @Test func `the queue holds so many events as the system allows, and one that says more came`()
    throws
  {
    let limit = String(
      decoding: try Descriptor.open("/proc/sys/fs/inotify/max_queued_events", .readOnly)
        .readStream(), as: UTF8.self)
    let allowed = try #require(Int(limit.filter(\.isNumber)))
    try #require(allowed <= 100_000)
    let playground = try Playground()
    let instance = try watch(playground)
    // Events that equal the last one are merged: two files in turn.
    for index in 0..<2 { playground.write("folder/f\(index)") }
    for index in 0..<(allowed / 2 + 100) { playground.append("folder/f\(index % 2)") }
    let told = try drain(instance)
    #expect(told.count == allowed + 1)
    #expect(told.last?.mask == .overflow)
  }

  @Test func `a watch's number is not given out again`() throws {
    let playground = try Playground()
    let instance = try NotifyInstance()
    var last: Int32 = 0
    for _ in 0..<200 {
      let watch = try instance.addWatch(on: playground.open("folder"), .directory)
      #expect(watch > last)
      last = watch
      #expect(try instance.addWatch(on: playground.open("folder"), .directory) == watch)
      try instance.removeWatch(watch)
    }
  }

  @Test func `a directory moved out of the folder goes on telling`() throws {
    let playground = try Playground()
    playground.make("folder/a")
    let instance = try watch(playground, "folder/a")
    playground.rename("folder/a", "outside")
    playground.write("outside/file")
    #expect(try names(instance, .create) == ["file"])
  }
}
