internal import Glibc
package import SystemPackage

/// What to wait for on one descriptor, and what came.
package struct PollEntry: Sendable {
  /// Conditions of a descriptor.
  package struct Events: OptionSet, Sendable {
    package let rawValue: Int16
    package init(rawValue: Int16) { self.rawValue = rawValue }

    package static let readable = Events(rawValue: Int16(POLLIN))
    package static let writable = Events(rawValue: Int16(POLLOUT))
    /// The other side closed the connection, or an error stands; reported without being asked for.
    package static let hungUp = Events(rawValue: Int16(POLLHUP | POLLERR | POLLNVAL))
  }

  /// The kernel's number; a negative one is passed over.
  package var descriptor: Int32
  package var wanted: Events
  package var found: Events = []

  package init(_ descriptor: Int32, _ wanted: Events) {
    self.descriptor = descriptor
    self.wanted = wanted
  }
}

/// poll(2).
package enum Poll {
  /// Waits until something wanted is there, and fills in `found`; false when the deadline passed.
  package static func wait(
    for entries: inout [PollEntry], until deadline: Deadline
  ) throws(Errno) -> Bool {
    var raw = entries.map { pollfd(fd: $0.descriptor, events: $0.wanted.rawValue, revents: 0) }
    while true {
      let count = unsafe poll(&raw, nfds_t(raw.count), milliseconds(deadline))
      if count < 0 {
        let code = Errno.current
        if code == .interrupted { continue }
        throw code
      }
      if count == 0, !deadline.isPast { continue }
      for index in entries.indices {
        entries[index].found = PollEntry.Events(rawValue: raw[index].revents)
      }
      return count > 0
    }
  }

  /// Waits for one descriptor; false when the deadline passed.
  package static func wait(
    for events: PollEntry.Events, on descriptor: Int32, until deadline: Deadline
  ) throws(Errno) -> Bool {
    var entries = [PollEntry(descriptor, events)]
    return try wait(for: &entries, until: deadline)
  }

  /// Rounded up, so that a wait never ends a little early and spins; at most a day at a time.
  private static func milliseconds(_ deadline: Deadline) -> Int32 {
    guard let (seconds, attoseconds) = deadline.remaining?.components else { return -1 }
    if seconds >= 86_400 { return 86_400_000 }
    return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }
}
