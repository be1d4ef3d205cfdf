internal import CLinux
internal import Glibc
package import SystemPackage

/// Who is at the other end of a unix socket, as the kernel saw it when the connection was made.
package struct PeerCredentials: Sendable, Hashable {
  package let pid: Int32
  package let uid: UInt32
  package let gid: UInt32

  package init(pid: Int32, uid: UInt32, gid: UInt32) {
    self.pid = pid
    self.uid = uid
    self.gid = gid
  }
}

/// A connected unix stream socket. Reads and writes never block; `wait` does.
package final class UnixStream: Sendable {
  private let socket: Descriptor

  /// Takes a connected socket, which becomes non-blocking.
  package init(_ socket: consuming Descriptor) throws(Errno) {
    let flags = try retrying { [number = socket.rawValue] in clinux_get_descriptor_flags(number) }
    if clinux_set_descriptor_flags(socket.rawValue, flags | CLINUX_O_NONBLOCK) != 0 {
      throw .current
    }
    self.socket = socket
  }

  /// Connects to a listening socket.
  ///
  /// `limit`: how long a listener with a full queue is waited for (`.resourceTemporarilyUnavailable`
  /// then). Throws `.noSuchFileOrDirectory` or `.connectionRefused` when nobody listens.
  package static func connect(to path: FilePath, limit: Duration) throws(Errno) -> UnixStream {
    let socket = try newSocket()
    let number = socket.rawValue
    // A unix socket's connect(2) blocks only for a full queue, and obeys the time limit of sends.
    let (seconds, attoseconds) = limit.components
    var time = timeval(tv_sec: Int(seconds), tv_usec: Int(attoseconds / 1_000_000_000_000) + 1)
    if unsafe setsockopt(
      number, SOL_SOCKET, SO_SNDTIMEO, &time, socklen_t(MemoryLayout<timeval>.size)) != 0
    {
      throw .current
    }
    try unsafe UnixAddress.with(path) { address, length throws(Errno) in
      _ = try retrying { unsafe Glibc.connect(number, address, length) }
    }
    return try UnixStream(socket)
  }

  /// Two sockets that are connected to each other.
  package static func pair() throws(Errno) -> (UnixStream, UnixStream) {
    var numbers: (Int32, Int32) = (-1, -1)
    let status = unsafe withUnsafeMutableBytes(of: &numbers) { buffer in
      unsafe socketpair(
        AF_UNIX, Int32(SOCK_STREAM.rawValue) | CLINUX_SOCK_CLOEXEC, 0,
        buffer.bindMemory(to: Int32.self).baseAddress)
    }
    if status != 0 { throw .current }
    let first = Descriptor(owning: numbers.0)
    let second = Descriptor(owning: numbers.1)
    return (try UnixStream(first), try UnixStream(second))
  }

  /// A socket that is neither bound nor connected.
  static func newSocket() throws(Errno) -> Descriptor {
    let number = Glibc.socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | CLINUX_SOCK_CLOEXEC, 0)
    if number < 0 { throw .current }
    return Descriptor(owning: number)
  }

  /// The kernel's number, for `Poll`.
  package var descriptor: Int32 { socket.rawValue }

  /// Who connected (`SO_PEERCRED`).
  package func peerCredentials() throws(Errno) -> PeerCredentials {
    var pid: Int32 = 0
    var uid: UInt32 = 0
    var gid: UInt32 = 0
    if unsafe clinux_peer_credentials(socket.rawValue, &pid, &uid, &gid) != 0 { throw .current }
    return PeerCredentials(pid: pid, uid: uid, gid: gid)
  }

  /// What can be read now, at most `limit` bytes; empty at the end, nil when nothing is there yet.
  package func read(limit: Int) throws(Errno) -> [UInt8]? {
    var failure: Errno?
    let number = socket.rawValue
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
      do throws(Errno) {
        initialized = try retrying {
          unsafe recv(number, buffer.baseAddress, buffer.count, 0)
        }
      } catch {
        failure = error
      }
    }
    if failure == .resourceTemporarilyUnavailable { return nil }
    if let failure { throw failure }
    return bytes
  }

  /// Writes what the socket takes now of `bytes`; returns how many, 0 when it takes nothing.
  ///
  /// Throws `.brokenPipe` when the other side is gone (no signal is raised).
  package func write(_ bytes: ArraySlice<UInt8>) throws(Errno) -> Int {
    let number = socket.rawValue
    do throws(Errno) {
      return try unsafe bytes.span.withUnsafeBytes { buffer throws(Errno) in
        try retrying {
          unsafe send(number, buffer.baseAddress, buffer.count, Int32(MSG_NOSIGNAL))
        }
      }
    } catch {
      if error == .resourceTemporarilyUnavailable { return 0 }
      throw error
    }
  }

  /// Writes all bytes, waiting where the socket is full. Throws `.timedOut` past the deadline.
  package func writeAll(_ bytes: [UInt8], until deadline: Deadline) throws(Errno) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = try write(rest)
      rest = rest.dropFirst(count)
      if count == 0, try !wait(for: .writable, until: deadline) { throw .timedOut }
    }
  }

  /// Waits until bytes or the end can be read (or, `.writable`, written); false past the deadline.
  package func wait(
    for events: PollEntry.Events, until deadline: Deadline
  ) throws(Errno) -> Bool {
    try Poll.wait(for: events, on: socket.rawValue, until: deadline)
  }

  /// Ends both directions at once: the other side reads the end, a thread that waits here wakes.
  package func shutDown() {
    shutdown(socket.rawValue, Int32(SHUT_RDWR))
  }
}
