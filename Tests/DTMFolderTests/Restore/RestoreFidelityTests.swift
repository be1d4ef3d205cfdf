import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

@Suite struct RestoreFidelityTests {
  @Test func `ranges that the present file has are not trusted unread`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let file = fixture.folderPath.appending("big")
      _ = shell("head -c 3000000 /dev/urandom > \(quoted(file))")
      let good = try folder.take()
      let content = try scan(fixture.folderPath)["big"]?.content
      _ = shell("printf X | dd of=\(quoted(file)) bs=1 seek=1500000 conv=notrunc 2>/dev/null")
      // Somebody writes after the safety snapshot, in a chunk that is the same in both, and hides it.
      let outcome = try folder.restore(RestoreRequest(.snapshot(good))) {
        point throws(FolderError) in
        guard point == .planned else { return }
        _ = shell(
          """
          touch -r \(quoted(file)) /tmp/dtm-stamp-$$ && printf Y | dd of=\(quoted(file)) bs=1 \
          seek=10 conv=notrunc 2>/dev/null; touch -r /tmp/dtm-stamp-$$ \(quoted(file)); \
          rm /tmp/dtm-stamp-$$
          """)
      }
      #expect(outcome.problems.isEmpty)
      #expect(try scan(fixture.folderPath)["big"]?.content == content)
    }
  }

  @Test func `attributes, lists, sparse layout and special modes come back`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let root = try Descriptor.open(fixture.folderPath, [.readOnly, .directory])
      let attribute = ExtendedAttribute(
        name: Array("user.origin".utf8), value: [UInt8](repeating: 7, count: 200))
      // user::rw- user:1001:r-- group::r-- mask::r-- other::---, little-endian tag, permission, id.
      let list = ExtendedAttribute(
        name: Array("system.posix_acl_access".utf8),
        value: [2, 0, 0, 0] + [1, 0, 6, 0, 255, 255, 255, 255] + [2, 0, 4, 0, 233, 3, 0, 0]
          + [4, 0, 4, 0, 255, 255, 255, 255] + [16, 0, 4, 0, 255, 255, 255, 255]
          + [32, 0, 0, 0, 255, 255, 255, 255])
      let defaults = ExtendedAttribute(
        name: Array("system.posix_acl_default".utf8), value: list.value)
      _ = shell(
        """
        cd \(quoted(fixture.folderPath)) && echo 1 > marked && echo 2 > plain && mkdir open shut \
        && echo 3 > shut/in && truncate -s 5000000 hole && chmod 2755 open && chmod 1777 shut \
        && echo 4 > run && chmod 4755 run && mkfifo pipe && chmod 620 pipe
        """)
      try root.open(Array("marked".utf8), [.readOnly]).setAttribute(attribute)
      try root.open(Array("marked".utf8), [.readOnly]).setAttribute(list)
      try root.open(Array("open".utf8), [.readOnly]).setAttribute(attribute)
      try root.open(Array("shut".utf8), [.readOnly]).setAttribute(defaults)
      let good = try folder.take()
      #expect(good.snapshot.isComplete)
      let first = try scan(fixture.folderPath)
      #expect(first["marked"]?.attributes.count == 2)
      // Everything new inherits a list that nobody wants on it.
      try root.setAttribute(defaults)
      _ = shell("cd \(quoted(fixture.folderPath)) && rm -r marked plain open shut hole run pipe")
      let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
      #expect(outcome.problems.isEmpty, "\(outcome.problems)")
      #expect(differences(first, try scan(fixture.folderPath)) == [])
      #expect(try scan(fixture.folderPath)["hole"]?.isSparse == true)
      // In place, too.
      try root.open(Array("plain".utf8), [.readOnly]).setAttribute(attribute)
      try root.open(Array("marked".utf8), [.readOnly]).removeAttribute(list.name)
      _ = shell("cd \(quoted(fixture.folderPath)) && chmod 700 open && chmod 0755 run")
      let second = try folder.restore(RestoreRequest(.snapshot(good)))
      #expect(second.written == 0)
      #expect(second.metadata == 4, "\(second.plan)")
      #expect(differences(first, try scan(fixture.folderPath)) == [])
    }
  }

  @Test(.enabled(if: geteuid() == 0))
  func
    `without privilege, directories that are shut are opened, and what can't be set is told once`()
    throws
  {
    try withTemporaryDirectory { base in
      let nobody: UInt32 = 65534
      let fixture = try RestoreFixture(base)
      _ = shell(
        """
        cd \(quoted(fixture.folderPath)) && mkdir shut && for i in 1 2 3; do echo $i > shut/$i; done \
        && echo s > own && chown -R 65534:65534 \(quoted(base)) && chown 1000:1000 own shut/1 \
        && chmod 4755 own && chmod 555 shut && chmod 755 .
        """)
      let first = try scan(fixture.folderPath)
      let result = Mutex<Result<RestoreOutcome, any Error>?>(nil)
      let thread = try DedicatedThread(named: "nobody") {
        let outcome = Result { () throws -> RestoreOutcome in
          try ThreadIdentity.assume(uid: nobody)
          let folder = try fixture.open()
          let good = try folder.take()
          _ = shell(
            "cd \(quoted(fixture.folderPath)) && chmod 755 shut && rm shut/1 shut/2 own && chmod 555 shut"
          )
          return try folder.restore(RestoreRequest(.snapshot(good)))
        }
        result.withLock { $0 = outcome }
      }
      thread.join()
      let outcome = try #require(result.withLock { $0 }).get()
      #expect(outcome.problems.count == 1, "\(outcome.problems)")
      #expect(outcome.problems.first?.detail.contains("1 more alike") == true)
      let found = try scan(fixture.folderPath)
      #expect(found["shut"] == first["shut"])
      #expect(found["shut/2"] == first["shut/2"])
      // Another's file must not run as us.
      #expect(found["own"]?.permissions == 0o755)
      #expect(found["own"]?.uid == nobody)
    }
  }

  @Test(.enabled(if: geteuid() == 0))
  func `what is mounted over a directory is never touched`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && mkdir m && echo 1 > m/f && echo 1 > a")
      let good = try folder.take()
      #expect(shell("mount -t tmpfs dtm-test \(path)/m && echo mounted > \(path)/m/f").status == 0)
      defer { _ = shell("umount \(path)/m") }
      _ = shell("echo 2 > \(path)/a")
      _ = try folder.restore(RestoreRequest(.snapshot(good)))
      #expect(shell("cat \(path)/a \(path)/m/f").output == "1\nmounted\n")
    }
  }

  @Test(.enabled(if: geteuid() == 0))
  func `on a full disk nothing changes and nothing is left behind`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let path = quoted(fixture.folderPath)
      #expect(shell("mount -t tmpfs -o size=3m dtm-test \(path)").status == 0)
      defer { _ = shell("umount \(path)") }
      var folder: Folder? = try fixture.open()
      _ = shell("cd \(path) && mkdir d && head -c 1500000 /dev/urandom > d/big && echo 1 > a")
      let good = try #require(try folder?.take())
      _ = shell("cd \(path) && rm -r d && echo 2 > a && head -c 2500000 /dev/urandom > other")
      let before = try scan(fixture.folderPath)
      var request = RestoreRequest(.snapshot(good))
      request.keepsAdded = true
      let error = #expect(throws: FolderError.self) { try folder?.restore(request) }
      #expect(error?.code == .noSpace)
      #expect(
        differences(before, try scan(fixture.folderPath), ignoringDirectoryTimes: true) == [])
      #expect(try folder?.needsRecovery() == false)
      folder = nil
    }
  }

  @Test func `an immutable file is replaced, and is immutable again`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && echo 1 > a && echo 1 > b")
      guard shell("chattr +i \(path)/a").status == 0 else { return }
      defer { _ = shell("chattr -i \(path)/a \(path)/b") }
      let good = try folder.take()
      _ = shell("cd \(path) && chattr -i a && echo 2 > a && echo 2 > b && chattr +i b")
      let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
      #expect(outcome.problems.isEmpty, "\(outcome.problems)")
      #expect(shell("cd \(path) && cat a b && lsattr a b | cut -c5").output == "1\n1\ni\n-\n")
    }
  }
}
