import DTMSystem
import Glibc
import SystemPackage
import Testing

/// A directory that is made for one test and removed after it.
final class SocketDirectory {
  let path: FilePath

  init() throws {
    var template = Array("/tmp/dtm-sockets-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw Errno.current }
    path = FilePath(
      String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self))
  }

  deinit {
    SocketDirectory.remove(path)
  }

  private static func remove(_ path: FilePath) {
    var names: [String] = []
    if let directory = try? Descriptor.open(path, [.readOnly, .directory, .noFollow]) {
      try? directory.forEachEntry { entry in
        names.append(String(decoding: entry.name, as: UTF8.self))
      }
    }
    for name in names { remove(path.appending(name)) }
    _ = unsafe Glibc.remove(path.string)
  }
}

@Suite struct UnixSocketTests {
  @Test func `bytes go both ways and the peer is known`() throws {
    let directory = try SocketDirectory()
    let path = directory.path.appending("s")
    let listener = try UnixListener(path: path, mode: 0o600)
    #expect(try listener.accept() == nil)
    let client = try UnixStream.connect(to: path, limit: .seconds(5))
    let server = try #require(try listener.accept())
    let peer = try server.peerCredentials()
    #expect(peer == PeerCredentials(pid: getpid(), uid: geteuid(), gid: getegid()))

    #expect(try server.read(limit: 10) == nil)
    try client.writeAll(Array("hello".utf8), until: .after(.seconds(5)))
    #expect(try server.wait(for: .readable, until: .after(.seconds(5))))
    #expect(try server.read(limit: 3) == Array("hel".utf8))
    #expect(try server.read(limit: 10) == Array("lo".utf8))
    try server.writeAll([1, 2], until: .after(.seconds(5)))
    #expect(try client.read(limit: 10) == [1, 2])
    client.shutDown()
    #expect(try server.read(limit: 10) == [])
    #expect(throws: Errno.brokenPipe) { try server.write([1][...]) }
  }

  @Test func `connecting where nobody listens says so`() throws {
    let directory = try SocketDirectory()
    let path = directory.path.appending("s")
    #expect(throws: Errno.noSuchFileOrDirectory) {
      _ = try UnixStream.connect(to: path, limit: .seconds(1))
    }
    try leaveStaleSocket(at: path)
    #expect(throws: Errno.connectionRefused) {
      _ = try UnixStream.connect(to: path, limit: .seconds(1))
    }
  }

  @Test func `a socket that a dead process left is replaced`() throws {
    let directory = try SocketDirectory()
    let path = directory.path.appending("s")
    try leaveStaleSocket(at: path)
    let listener = try UnixListener(path: path, mode: 0o600)
    _ = try UnixStream.connect(to: path, limit: .seconds(5))
    #expect(try listener.accept() != nil)
  }

  @Test func `a socket on which somebody listens is never replaced`() throws {
    let directory = try SocketDirectory()
    let path = directory.path.appending("s")
    let first = try UnixListener(path: path, mode: 0o600)
    #expect(throws: Errno.addressInUse) { _ = try UnixListener(path: path, mode: 0o600) }
    // Even when the lock file is gone.
    _ = unsafe unlink(path.string + ".lock")
    #expect(throws: Errno.addressInUse) { _ = try UnixListener(path: path, mode: 0o600) }
    _ = try UnixStream.connect(to: path, limit: .seconds(5))
    while try first.accept() == nil {}
  }

  @Test func `a file that is no socket is left alone`() throws {
    let directory = try SocketDirectory()
    let path = directory.path.appending("s")
    let file = try Descriptor.open(path, [.create, .writeOnly])
    try file.write([1])
    #expect(throws: Errno.fileExists) { _ = try UnixListener(path: path, mode: 0o600) }
    #expect(try Descriptor.open(path, .readOnly).readToEnd() == [1])
  }

  @Test(arguments: [UInt32(0o600), 0o660, 0o666])
  func `the mode is exactly the one asked for`(mode: UInt32) throws {
    let directory = try SocketDirectory()
    let listener = try UnixListener(path: directory.path.appending("s"), mode: mode)
    let status = try Descriptor.open(directory.path, .readOnly).status(of: Array("s".utf8))
    #expect(status.mode & 0o7777 == mode)
    withExtendedLifetime(listener) {}
  }

  @Test func `the name goes with the listener, and only the listener's own`() throws {
    let directory = try SocketDirectory()
    let path = directory.path.appending("s")
    do { _ = try UnixListener(path: path, mode: 0o600) }
    #expect(throws: Errno.noSuchFileOrDirectory) { _ = try Descriptor.open(path, .path) }
    do {
      let listener = try UnixListener(path: path, mode: 0o600)
      _ = unsafe unlink(path.string)
      try leaveStaleSocket(at: path)
      withExtendedLifetime(listener) {}
    }
    _ = try Descriptor.open(path, .path)
  }

  @Test func `a path longer than a socket address works`() throws {
    let directory = try SocketDirectory()
    let deep = directory.path.appending(String(repeating: "d", count: 200))
    let made = unsafe mkdir(deep.string, 0o700)
    #expect(made == 0)
    let path = deep.appending("s")
    let listener = try UnixListener(path: path, mode: 0o600)
    _ = try UnixStream.connect(to: path, limit: .seconds(5))
    #expect(try listener.accept() != nil)
  }

  @Test func `writing to one who does not read ends at the deadline`() throws {
    let (mine, other) = try UnixStream.pair()
    #expect(throws: Errno.timedOut) {
      try mine.writeAll(
        [UInt8](repeating: 7, count: 16 << 20), until: .after(.milliseconds(20)))
    }
    withExtendedLifetime(other) {}
  }

  @Test func `a wake signal wakes a poll, once for several signals`() throws {
    let wake = try WakeSignal()
    #expect(try !Poll.wait(for: .readable, on: wake.descriptor, until: .after(.zero)))
    wake.signal()
    wake.signal()
    #expect(try Poll.wait(for: .readable, on: wake.descriptor, until: .never))
    wake.clear()
    #expect(try !Poll.wait(for: .readable, on: wake.descriptor, until: .after(.zero)))
  }

  /// Binds a socket and closes it, as a process does that is killed.
  private func leaveStaleSocket(at path: FilePath) throws {
    let number = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(number) }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    unsafe withUnsafeMutableBytes(of: &address.sun_path) {
      unsafe $0.copyBytes(from: path.string.utf8)
    }
    let status = unsafe withUnsafePointer(to: address) {
      unsafe $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        unsafe bind(number, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
      }
    }
    #expect(status == 0)
  }
}
