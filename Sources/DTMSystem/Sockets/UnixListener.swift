internal import CLinux
internal import Glibc
package import SystemPackage

/// A unix socket that is listened on, under a name in the file system.
///
/// One listener a name, for good: `NAME.lock` is locked as long as it lives (the file itself
/// stays, as removing lock files is a race). A socket that a dead process left is replaced, one on
/// which somebody listens never is.
package final class UnixListener: Sendable {
  private let socket: Descriptor
  private let own: Own?

  /// The name that this listener made and takes away in the end.
  private struct Own: ~Copyable {
    let directory: Descriptor
    let name: [UInt8]
    let device: UInt64
    let inode: UInt64
    let lock: Descriptor
  }

  /// Listens at `path` in an existing directory.
  ///
  /// `mode`: who may connect, exactly (the umask does not matter). `backlog`: connections that may
  /// wait to be accepted. Throws `.addressInUse` when another listens there, `.fileExists` when
  /// something that is no socket has the name.
  package init(path: FilePath, mode: UInt32, backlog: Int32 = 256) throws(Errno) {
    guard let component = path.lastComponent else { throw .invalidArgument }
    let name = Array(component.string.utf8)
    let parent = path.removingLastComponent()
    let directory = try Descriptor.open(
      parent.isEmpty ? "." : parent, [.readOnly, .directory])

    let lock = try directory.open(
      name + Array(".lock".utf8), [.readWrite, .create, .noFollow], mode: 0o600)
    if try !lock.lock(.exclusive, wait: false) { throw .addressInUse }
    try UnixListener.checkFree(path, name, in: directory)

    // Made under another name and renamed: at no moment does the name lead nowhere, and nobody
    // connects before the mode is right.
    let temporary = name + Array(".new".utf8)
    try? directory.removeName(temporary)
    let socket = try UnixStream.newSocket()
    let number = socket.rawValue
    let temporaryPath = parent.appending(String(decoding: temporary, as: UTF8.self))
    try unsafe UnixAddress.with(temporaryPath) { address, length throws(Errno) in
      if unsafe bind(number, address, length) != 0 { throw .current }
    }
    do throws(Errno) {
      try directory.setMode(mode, of: temporary)
      if listen(number, backlog) != 0 { throw .current }
      try directory.rename(temporary, to: name)
    } catch {
      try? directory.removeName(temporary)
      throw error
    }
    let status = try directory.status(of: name)
    own = Own(
      directory: directory, name: name, device: status.device, inode: status.inode, lock: lock)
    self.socket = socket
    try makeNonBlocking()
  }

  /// Takes over a listening socket that somebody else made and names (socket activation).
  package init(adopting socket: consuming Descriptor) throws(Errno) {
    self.socket = socket
    own = nil
    try makeNonBlocking()
  }

  deinit {
    switch own {
    case nil: break
    case .some(let own): UnixListener.removeName(own)
    }
  }

  /// `SOCK_STREAM`, the type of socket that this is.
  package static var socketType: Int32 { Int32(SOCK_STREAM.rawValue) }

  /// The kernel's number, for `Poll`: readable when a connection waits.
  package var descriptor: Int32 { socket.rawValue }

  /// The next connection that waits; nil when none does.
  ///
  /// Throws `.tooManyOpenFiles` and its like when the process has no descriptor left; the
  /// connection goes on waiting then.
  package func accept() throws(Errno) -> UnixStream? {
    while true {
      let number = clinux_accept4(socket.rawValue, CLINUX_SOCK_CLOEXEC | CLINUX_SOCK_NONBLOCK)
      if number >= 0 { return try UnixStream(Descriptor(owning: number)) }
      let code = Errno.current
      switch code {
      case .resourceTemporarilyUnavailable: return nil
      // A connection that was given up before we came to it.
      case .interrupted, .connectionAbort: continue
      default: throw code
      }
    }
  }

  private func makeNonBlocking() throws(Errno) {
    let number = socket.rawValue
    let flags = try retrying { clinux_get_descriptor_flags(number) }
    if clinux_set_descriptor_flags(number, flags | CLINUX_O_NONBLOCK) != 0 { throw .current }
  }

  /// Throws unless the name is free, or a socket on which nobody listens.
  private static func checkFree(
    _ path: FilePath, _ name: [UInt8], in directory: borrowing Descriptor
  ) throws(Errno) {
    do throws(Errno) {
      if try directory.status(of: name).kind != .socket { throw .fileExists }
      _ = try UnixStream.connect(to: path, limit: .seconds(1))
    } catch {
      if error == .noSuchFileOrDirectory || error == .connectionRefused { return }
      if error == .fileExists { throw error }
      throw .addressInUse
    }
    throw .addressInUse
  }

  private static func removeName(_ own: borrowing Own) {
    // Only while it is still ours: somebody may have put another there in spite of the lock.
    guard let status = try? own.directory.status(of: own.name),
      status.device == own.device, status.inode == own.inode
    else { return }
    try? own.directory.removeName(own.name)
  }
}

extension Descriptor {
  fileprivate func removeName(_ name: [UInt8]) throws(Errno) {
    let number = rawValue
    try unsafe withCString(of: name) { pointer throws(Errno) in
      if unsafe unlinkat(number, pointer, 0) != 0 { throw .current }
    }
  }

  fileprivate func setMode(_ mode: UInt32, of name: [UInt8]) throws(Errno) {
    let number = rawValue
    try unsafe withCString(of: name) { pointer throws(Errno) in
      if unsafe fchmodat(number, pointer, mode, 0) != 0 { throw .current }
    }
  }

  fileprivate func rename(_ name: [UInt8], to target: [UInt8]) throws(Errno) {
    let number = rawValue
    try unsafe withCString(of: name) { from throws(Errno) in
      try unsafe withCString(of: target) { to throws(Errno) in
        if unsafe renameat(number, from, number, to) != 0 { throw .current }
      }
    }
  }
}
