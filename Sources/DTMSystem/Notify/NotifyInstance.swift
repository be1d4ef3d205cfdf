internal import CLinux
internal import Glibc
package import SystemPackage

/// An inotify(7) instance: a set of watched directories and one queue of events.
///
/// Adding and removing watches is allowed from any thread; one thread reads. All watches end with
/// the instance. Watch numbers rise and are not given out again, as Linux allocates them.
package final class NotifyInstance: Sendable {
  private let queue: Descriptor

  /// Throws `.tooManyOpenFiles` when the user has all instances that
  /// `fs.inotify.max_user_instances` allows.
  package init() throws(Errno) {
    let number = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
    if number < 0 { throw .current }
    queue = Descriptor(owning: number)
  }

  /// Readable while events stand in the queue.
  package var descriptor: Int32 { queue.rawValue }

  /// Watches an open directory, whatever its path is by now.
  ///
  /// Returns the number of the watch: the same one when this instance already watches the
  /// directory's inode, whose mask is then replaced. Throws `.noSpace` when the user has all the
  /// watches that `fs.inotify.max_user_watches` allows, `.permissionDenied` without read
  /// permission, `.noSuchFileOrDirectory` when the directory was removed or /proc is missing.
  package func addWatch(
    on directory: borrowing Descriptor, _ mask: NotifyMask
  ) throws(Errno) -> Int32 {
    // inotify takes paths only. The trailing "/." makes it the directory behind the descriptor,
    // without a second walk of names that others may swap meanwhile.
    try addWatch(path: Array("/proc/self/fd/\(directory.rawValue)/.".utf8), mask)
  }

  /// Watches the directory at a path; links are followed.
  package func addWatch(at path: FilePath, _ mask: NotifyMask) throws(Errno) -> Int32 {
    let queue = queue.rawValue
    let result = unsafe path.withPlatformString { pointer in
      Result { () throws(Errno) in
        try retrying { unsafe inotify_add_watch(queue, pointer, mask.rawValue) }
      }
    }
    return try result.get()
  }

  private func addWatch(path: [UInt8], _ mask: NotifyMask) throws(Errno) -> Int32 {
    let queue = queue.rawValue
    return try unsafe withCString(of: path) { pointer throws(Errno) in
      try retrying { unsafe inotify_add_watch(queue, pointer, mask.rawValue) }
    }
  }

  /// Ends a watch; an `.ignored` event follows. Throws `.invalidArgument` when it already ended.
  package func removeWatch(_ watch: Int32) throws(Errno) {
    if inotify_rm_watch(queue.rawValue, watch) != 0 { throw .current }
  }

  /// How many bytes of events stand in the queue now (`FIONREAD`).
  ///
  /// Whoever reads so many bytes has every event of the system calls that returned before.
  package func readableBytes() throws(Errno) -> Int {
    var count: Int32 = 0
    if unsafe clinux_readable_bytes(queue.rawValue, &count) != 0 { throw .current }
    return Int(count)
  }

  /// Reads what stands in the queue, as much as fits into the batch; does not wait.
  ///
  /// Returns the bytes read, 0 when the queue is empty.
  package func read(into batch: inout NotifyBatch) throws(Errno) -> Int {
    batch.count = 0
    do throws(Errno) {
      batch.count = try queue.read(into: &batch.bytes)
    } catch .resourceTemporarilyUnavailable {
      return 0
    }
    return batch.count
  }
}
