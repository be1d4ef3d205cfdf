internal import Glibc
package import SystemPackage

/// What the kernel allows a user of inotify(7), and what is used of it.
package struct NotifyLimits: Sendable, Hashable {
  package var maxWatches: Int
  package var maxInstances: Int
  package var maxQueuedEvents: Int

  package init(maxWatches: Int, maxInstances: Int, maxQueuedEvents: Int) {
    self.maxWatches = maxWatches
    self.maxInstances = maxInstances
    self.maxQueuedEvents = maxQueuedEvents
  }

  /// Of this machine, from /proc/sys/fs/inotify. Throws `.noSuchFileOrDirectory` where that is not
  /// there.
  package static func current() throws(Errno) -> NotifyLimits {
    NotifyLimits(
      maxWatches: try number("max_user_watches"), maxInstances: try number("max_user_instances"),
      maxQueuedEvents: try number("max_queued_events"))
  }

  private static func number(_ name: String) throws(Errno) -> Int {
    let path = FilePath("/proc/sys/fs/inotify").appending(name)
    let text = try Descriptor.open(path, .readOnly).readStream()
    guard let number = Int(String(decoding: text.filter { $0 > 0x20 }, as: UTF8.self)) else {
      throw .invalidArgument
    }
    return number
  }
}

/// What all processes of a user have of inotify(7).
package struct NotifyUsage: Sendable, Hashable {
  package var watches = 0
  package var instances = 0

  package init(watches: Int = 0, instances: Int = 0) {
    self.watches = watches
    self.instances = instances
  }

  /// Of a user, from `/proc/PID/fdinfo`; nil where this process may not look into those of the user
  /// (`ptrace(2)` says who may). Processes that end meanwhile are passed over.
  package static func of(user: UInt32) -> NotifyUsage? {
    if geteuid() != 0, geteuid() != user { return nil }
    var usage = NotifyUsage()
    guard let processes = try? names(of: "/proc") else { return nil }
    for name in processes where name.allSatisfy({ (0x30...0x39).contains($0) }) {
      let process = FilePath("/proc").appending(String(decoding: name, as: UTF8.self))
      guard let owner = try? Descriptor.open(process, .path).status().uid, owner == user,
        let descriptors = try? names(of: process.appending("fdinfo"))
      else { continue }
      for descriptor in descriptors {
        let file = process.appending("fdinfo")
          .appending(String(decoding: descriptor, as: UTF8.self))
        guard let text = try? Descriptor.open(file, .readOnly).readStream() else { continue }
        // A line a watch (proc(5)). An instance without any has none, and is not seen.
        let watches = text.split(separator: 0x0A).count { $0.starts(with: Array("inotify ".utf8)) }
        usage.watches += watches
        if watches > 0 { usage.instances += 1 }
      }
    }
    return usage
  }

  private static func names(of directory: FilePath) throws(Errno) -> [[UInt8]] {
    let opened = try Descriptor.open(directory, [.readOnly, .directory])
    let listing = try DirectoryListing(reading: opened)
    return (0..<listing.count).map { listing.name(at: $0) }
  }
}
