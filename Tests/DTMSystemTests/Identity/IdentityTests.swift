import DTMSystem
import Glibc
import SystemPackage
import Testing

@Suite struct UserDirectoryTests {
  @Test func `root is known by name, home and group`() throws {
    let root = try #require(UserDirectory.user(0))
    #expect(root == UserDirectory.user(named: "root"))
    #expect(root.gid == 0)
    #expect(UserDirectory.name(ofUser: 0) == "root")
    #expect(UserDirectory.home(ofUser: 0) == root.home)
    #expect(UserDirectory.name(ofGroup: 0) == "root")
    #expect(UserDirectory.group(named: "root") == 0)
    #expect(UserDirectory.groups(of: root).contains(0))
  }

  @Test func `an id or a name that nobody has is nil`() {
    #expect(UserDirectory.user(4_000_000_123) == nil)
    #expect(UserDirectory.user(named: "no-such-user-here") == nil)
    #expect(UserDirectory.name(ofGroup: 4_000_000_123) == nil)
    #expect(UserDirectory.group(named: "no-such-group-here") == nil)
  }
}

@Suite struct ThreadIdentityTests {
  @Test func `assuming the identity one has does nothing`() throws {
    try ThreadIdentity.assume(uid: geteuid())
    #expect(ThreadIdentity.current.uid == geteuid())
  }

  @Test(.enabled(if: geteuid() == 0, "root acts as others"))
  func `a thread that acts as a user can do what the user can, and the others stay root`() throws {
    let directory = try SocketDirectory()
    try Descriptor.open(directory.path, .readOnly).setMode(0o777)
    let secret = directory.path.appending("secret")
    try Descriptor.open(secret, [.create, .writeOnly], mode: 0o600).write([1])
    let nobody = try #require(UserDirectory.user(named: "nobody"))

    let outcome = Monitor<(opened: Errno?, owner: UInt32?, group: UInt32?, failure: Errno?)>(
      (nil, nil, nil, nil))
    let path = directory.path
    let thread = try DedicatedThread(named: "as-nobody") {
      do throws(Errno) {
        try ThreadIdentity.assume(uid: nobody.uid)
        do throws(Errno) {
          _ = try Descriptor.open(secret, .readOnly)
        } catch {
          outcome.update { $0.opened = error }
        }
        let made = try Descriptor.open(path.appending("made"), [.create, .writeOnly])
        let status = try made.status()
        outcome.update { ($0.owner, $0.group) = (status.uid, status.gid) }
      } catch {
        outcome.update { $0.failure = error }
      }
    }
    thread.join()
    let result = outcome.withLock { $0 }
    #expect(result.failure == nil)
    #expect(result.opened == .permissionDenied)
    #expect(result.owner == nobody.uid)
    #expect(result.group == nobody.gid)
    #expect(try Descriptor.open(secret, .readOnly).readToEnd() == [1])
    #expect(ThreadIdentity.current.uid == 0)
  }
}
