internal import Glibc

/// What to be told about a watched directory, and what an event says (`IN_*` of inotify(7)).
package struct NotifyMask: OptionSet, Sendable, Hashable {
  package let rawValue: UInt32
  package init(rawValue: UInt32) { self.rawValue = rawValue }

  /// See `OpenFlags`.
  package init(arrayLiteral elements: NotifyMask...) {
    rawValue = elements.reduce(0) { $0 | $1.rawValue }
  }

  package static let modify = NotifyMask(rawValue: UInt32(IN_MODIFY))
  package static let attributes = NotifyMask(rawValue: UInt32(IN_ATTRIB))
  package static let closeWrite = NotifyMask(rawValue: UInt32(IN_CLOSE_WRITE))
  package static let movedFrom = NotifyMask(rawValue: UInt32(IN_MOVED_FROM))
  package static let movedTo = NotifyMask(rawValue: UInt32(IN_MOVED_TO))
  package static let create = NotifyMask(rawValue: UInt32(IN_CREATE))
  package static let delete = NotifyMask(rawValue: UInt32(IN_DELETE))
  package static let deleteSelf = NotifyMask(rawValue: UInt32(IN_DELETE_SELF))
  package static let moveSelf = NotifyMask(rawValue: UInt32(IN_MOVE_SELF))
  /// Only asked for: adding the watch fails with `.notDirectory` on anything but a directory.
  package static let onlyDirectory = NotifyMask(rawValue: UInt32(IN_ONLYDIR))
  /// Only told: the file system was unmounted.
  package static let unmount = NotifyMask(rawValue: UInt32(IN_UNMOUNT))
  /// Only told: events were lost; the event has no watch.
  package static let overflow = NotifyMask(rawValue: UInt32(IN_Q_OVERFLOW))
  /// Only told: the watch is gone (removed, or its directory is).
  package static let ignored = NotifyMask(rawValue: UInt32(IN_IGNORED))
  /// Only told: what the event is about is a directory.
  package static let isDirectory = NotifyMask(rawValue: UInt32(IN_ISDIR))

  /// All that a protected directory is watched for.
  ///
  /// `IN_EXCL_UNLINK` is left out on purpose: it hides a file made with `O_TMPFILE` and linked in.
  package static let directory: NotifyMask = [
    .create, .delete, .movedFrom, .movedTo, .modify, .closeWrite, .attributes, .deleteSelf,
    .moveSelf, .onlyDirectory,
  ]
}
