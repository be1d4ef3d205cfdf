internal import CLinux
internal import Glibc

/// Names, home directories and groups of users, as the system's user database has them.
///
/// Each call may read files or ask a name service: call on a thread that may block.
package enum UserDirectory {
  /// One user's record.
  package struct User: Sendable, Equatable {
    package let name: String
    package let uid: UInt32
    /// The primary group.
    package let gid: UInt32
    package let home: String
  }

  /// The user with this id; nil where the database has none, or can't be asked.
  package static func user(_ uid: UInt32) -> User? {
    unsafe withBuffer(startingAt: 1024) { base, capacity in
      var record = unsafe passwd()
      var result: UnsafeMutablePointer<passwd>?
      let status = unsafe getpwuid_r(uid, &record, base, capacity, &result)
      return (status, unsafe result == nil ? nil : User(record))
    }
  }

  /// The user with this name.
  package static func user(named name: String) -> User? {
    unsafe withBuffer(startingAt: 1024) { base, capacity in
      var record = unsafe passwd()
      var result: UnsafeMutablePointer<passwd>?
      let status = unsafe getpwnam_r(name, &record, base, capacity, &result)
      return (status, unsafe result == nil ? nil : User(record))
    }
  }

  /// The login name of a user id.
  package static func name(ofUser uid: UInt32) -> String? { user(uid)?.name }

  /// The home directory of a user id.
  package static func home(ofUser uid: UInt32) -> String? { user(uid)?.home }

  /// The name of a group id.
  package static func name(ofGroup gid: UInt32) -> String? {
    unsafe withBuffer(startingAt: 1024) { base, capacity in
      var record = unsafe Glibc.group()
      var result: UnsafeMutablePointer<Glibc.group>?
      let status = unsafe getgrgid_r(gid, &record, base, capacity, &result)
      return (status, unsafe result == nil ? nil : String(cString: record.gr_name))
    }
  }

  /// The id of the group with this name.
  package static func group(named name: String) -> UInt32? {
    unsafe withBuffer(startingAt: 1024) { base, capacity in
      var record = unsafe Glibc.group()
      var result: UnsafeMutablePointer<Glibc.group>?
      let status = unsafe getgrnam_r(name, &record, base, capacity, &result)
      return (status, unsafe result == nil ? nil : record.gr_gid)
    }
  }

  /// All groups of a user, the primary one among them.
  package static func groups(of user: User) -> [UInt32] {
    var count: Int32 = 64
    while true {
      var groups = [gid_t](repeating: 0, count: Int(count))
      let status = unsafe clinux_getgrouplist(user.name, user.gid, &groups, &count)
      if status >= 0 { return Array(groups.prefix(Int(count))) }
      // -1: too small, and `count` says what is needed.
      if Int(count) <= groups.count { count = Int32(groups.count * 2) }
    }
  }

  /// Calls `body` with a larger buffer for as long as it says `ERANGE`.
  private static func withBuffer<Result>(
    startingAt capacity: Int,
    _ body: (UnsafeMutablePointer<CChar>, Int) -> (status: Int32, result: Result?)
  ) -> Result? {
    var capacity = capacity
    while capacity <= 1 << 20 {
      let (status, result): (Int32, Result?) = unsafe withUnsafeTemporaryAllocation(
        of: CChar.self, capacity: capacity
      ) { buffer in
        guard let base = buffer.baseAddress else { return (ENOMEM, nil) }
        return unsafe body(base, capacity)
      }
      if status != ERANGE { return status == 0 ? result : nil }
      capacity *= 4
    }
    return nil
  }
}

extension UserDirectory.User {
  fileprivate init(_ record: passwd) {
    unsafe self.init(
      name: String(cString: record.pw_name), uid: record.pw_uid, gid: record.pw_gid,
      home: String(cString: record.pw_dir))
  }
}
