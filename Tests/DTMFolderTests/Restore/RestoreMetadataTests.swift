import DTMFolder
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

/// What a file system keeps beside content, mode, owner and times.
@Suite struct RestoreMetadataTests {
  private func attribute(_ name: String, _ value: String) -> ExtendedAttribute {
    ExtendedAttribute(name: Array(name.utf8), value: Array(value.utf8))
  }

  @Test(.enabled(if: geteuid() == 0))
  func `attributes that links, FIFOs and devices got since are taken off again`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && ln -s nowhere link && mkfifo pipe && mknod null c 1 3 && echo 1 > f")
      let root = try Descriptor.open(fixture.folderPath, [.readOnly, .directory])
      let kept = attribute("trusted.kept", "1")
      let names = ["link", "pipe", "null", "f"].map { Array($0.utf8) }
      for name in names { try root.open(name, [.path, .noFollow]).setAttribute(kept) }
      let good = try folder.take()
      for name in names {
        let entry = try root.open(name, [.path, .noFollow])
        try entry.setAttribute(attribute("trusted.added", "2"))
        try entry.setAttribute(attribute("security.thing", "3"))
        try entry.removeAttribute(kept.name)
      }
      let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
      #expect(outcome.problems.isEmpty, "\(outcome.problems)")
      #expect(outcome.metadata == 4)
      for name in names {
        #expect(try root.extendedAttributes(of: name).readable == [kept])
      }
    }
  }

  @Test(.enabled(if: geteuid() == 0))
  func `in immutable directories names come, change and go, and they are immutable again`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      defer { _ = shell("chattr -Rf -i \(path)") }
      _ = shell(
        """
        cd \(path) && mkdir -p shut/in gone && echo 1 > shut/f && echo 1 > shut/g && echo 1 > a \
        && ln a b && echo 1 > gone/x
        """)
      guard shell("cd \(path) && chattr +i shut a").status == 0 else { return }
      let good = try folder.take()
      _ = shell(
        """
        cd \(path) && chattr -i shut a && echo 22 > shut/f && rm shut/g && echo 3 > shut/new \
        && rm b && rm -r gone && mkdir -p made/of && echo 4 > made/of/it && chattr +i shut a made/of made
        """)
      let second = shell("cd \(path) && lsattr -Rd shut a made made/of | cut -c5,23-").output
      let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
      #expect(outcome.problems.isEmpty, "\(outcome.problems)")
      #expect(
        shell("cd \(path) && ls -R . && cat shut/f shut/g b gone/x && stat -c %h a").output
          == ".:\na\nb\ngone\nshut\n\n./gone:\nx\n\n./shut:\nf\ng\nin\n\n./shut/in:\n1\n1\n1\n1\n2\n"
      )
      #expect(shell("cd \(path) && lsattr -d a b shut | cut -c5").output == "i\ni\ni\n")
      let undone = try folder.undo()
      #expect(undone.restore?.problems.isEmpty == true, "\(undone.restore?.problems ?? [])")
      #expect(
        shell("cd \(path) && lsattr -Rd shut a made made/of | cut -c5,23-").output == second)
      #expect(shell("cd \(path) && cat shut/f made/of/it").output == "22\n4\n")
    }
  }

  @Test(.enabled(if: geteuid() == 0))
  func `what could not be built leaves immutable directories immutable`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      defer { _ = shell("chattr -Rf -i \(path)") }
      _ = shell("cd \(path) && mkdir shut && echo 1 > shut/f && echo 1 > a && ln a b")
      guard shell("cd \(path) && chattr +i shut a").status == 0 else { return }
      let good = try folder.take()
      _ = shell(
        "cd \(path) && chattr -i shut a && echo 2 > shut/f && rm b && chattr +i shut a")
      let stop = FolderError(.noSpace, "the disk is full")
      let error = #expect(throws: FolderError.self) {
        try folder.restore(RestoreRequest(.snapshot(good))) { point throws(FolderError) in
          if point == .synchronized { throw stop }
        }
      }
      #expect(error?.code == .noSpace)
      // Cut off behind what is taken back at once: the next command does it.
      #expect(try folder.recover()?.isFinished == false)
      #expect(
        shell("cd \(path) && ls -A . shut && cat shut/f").output == ".:\na\nshut\n\nshut:\nf\n2\n")
      #expect(shell("cd \(path) && lsattr -d a shut | cut -c5").output == "i\ni\n")
    }
  }

  @Test func `the flag that says no dump comes back where it was, and nowhere else`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && mkdir -p d/in e && echo 1 > d/f && echo 1 > d/g && echo 1 > e/f")
      // What is made in such a directory inherits the flag.
      guard shell("cd \(path) && chattr +d d d/g e/f").status == 0 else { return }
      let flags = "cd \(path) && lsattr -Rd d d/in d/f d/g e e/f | tr -d - | sed 's/e //'"
      let first = shell(flags).output
      let good = try folder.take()
      _ = shell("cd \(path) && rm -r d/in d/f d/g e")
      let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
      #expect(outcome.problems.isEmpty, "\(outcome.problems)")
      #expect(shell(flags).output == first)
      _ = shell("cd \(path) && rm -r d e")
      _ = try folder.restore(RestoreRequest(.snapshot(good)))
      #expect(shell(flags).output == first)
    }
  }

  @Test func `attributes of a file that its owner may not write come back`() throws {
    try withTemporaryDirectory { base in
      try Descriptor.open(base, [.readOnly, .directory]).setPermissions(0o755)
      let fixture = try RestoreFixture(base)
      _ = shell(
        """
        cd \(quoted(fixture.folderPath)) && echo 1 > f && echo 1 > g && setfattr -n user.a -v 1 f \
        && setfattr -n user.a -v 1 g && chmod 444 f && chmod 400 g && [ "$(id -u)" != 0 ] \
        || chown -R 65534:65534 \(quoted(base))
        """)
      let first = try scan(fixture.folderPath)
      try asStranger {
        let folder = try fixture.open()
        let good = try folder.take()
        let root = try Descriptor.open(fixture.folderPath, [.readOnly, .directory])
        try root.remove(Array("f".utf8))
        let file = try root.open(Array("g".utf8), [.path])
        try file.setPermissions(0o600)
        try file.setAttribute(ExtendedAttribute(name: Array("user.b".utf8), value: [2]))
        try file.removeAttribute(Array("user.a".utf8))
        try file.setPermissions(0o400)
        let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
        #expect(outcome.problems.isEmpty, "\(outcome.problems)")
      }
      #expect(differences(first, try scan(fixture.folderPath)) == [])
    }
  }
}
