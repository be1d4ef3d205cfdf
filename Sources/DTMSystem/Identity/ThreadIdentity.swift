internal import CLinux
internal import Glibc
package import SystemPackage

/// As whom the calling thread reaches the file system.
///
/// Linux keeps these ids per thread. They decide about opening, creating and owning files; the
/// process stays who it is for everything else. With a file system user that is not root the
/// kernel takes the file capabilities (`CAP_DAC_OVERRIDE`, `CAP_DAC_READ_SEARCH`, `CAP_FOWNER`,
/// `CAP_CHOWN` …) away from the thread, so it can do exactly what the user can.
package enum ThreadIdentity {
  /// The group of a user whom the user database does not know (Debian's nogroup).
  private static let noGroup: UInt32 = 65534

  /// Makes this thread act as `uid` with the groups that the user database gives it, for good.
  ///
  /// Does nothing when the thread acts as that user already. Call it in a `DedicatedThread` that
  /// does only this user's work. `group`: the group of a user whom the database does not know.
  /// Throws `.notPermitted` when the process may not (it is another user's, or lacks `CAP_SETUID`
  /// and `CAP_SETGID`); the thread must not go on then, as it may have the new groups already.
  package static func assume(uid: UInt32, group: UInt32? = nil) throws(Errno) {
    if current.uid == uid { return }
    let user = UserDirectory.user(uid)
    let primary = user?.gid ?? group ?? noGroup
    let groups = user.map(UserDirectory.groups(of:)) ?? [primary]
    if unsafe clinux_setgroups_thread(groups.count, groups) != 0 { throw .current }
    // Neither call says whether it worked: what is set afterwards does.
    _ = clinux_setfsgid(primary)
    _ = clinux_setfsuid(uid)
    let reached = current
    if reached.uid != uid || reached.gid != primary { throw .notPermitted }
  }

  /// Makes this thread, and what it starts, another user's for good, in everything: unlike after `assume`,
  /// a program that it starts is that user's too. For a thread that does nothing else.
  ///
  /// Does nothing where it is that user already. Throws `.notPermitted` where the process may not.
  package static func become(uid: UInt32, group: UInt32) throws(Errno) {
    if processUser == uid { return }
    let user = UserDirectory.user(uid)
    let primary = user?.gid ?? group
    let groups = user.map(UserDirectory.groups(of:)) ?? [primary]
    if unsafe clinux_setgroups_thread(groups.count, groups) != 0 { throw .current }
    if clinux_become_group_thread(primary) != 0 { throw .current }
    if clinux_become_user_thread(uid) != 0 { throw .current }
  }

  /// The ids with which this thread reaches files.
  package static var current: (uid: UInt32, gid: UInt32) {
    // An id that does not exist changes nothing and tells the present one (setfsuid(2)).
    (clinux_setfsuid(UInt32.max), clinux_setfsgid(UInt32.max))
  }

  /// The process's effective user.
  package static var processUser: UInt32 { geteuid() }
}
