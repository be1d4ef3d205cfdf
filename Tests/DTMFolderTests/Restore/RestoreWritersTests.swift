import DTMFolder
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Files that somebody has open while they are restored.
@Suite struct RestoreWritersTests {
  @Test func `who has a replaced or removed file open for writing is named, readers are not`()
    throws
  {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && echo 1 > written && echo 1 > read && echo 1 > idle")
      let good = try folder.take()
      _ = shell("cd \(path) && echo 2 > written && echo 2 > read && echo 2 > idle && echo 2 > new")
      // A shell that holds the files until its input ends, and says when it has them.
      let fifo = quoted(base.appending("fifo"))
      let ready = quoted(base.appending("ready"))
      _ = shell("mkfifo \(fifo) \(ready)")
      let pid = shell(
        """
        cd \(path) && { sh -c 'exec 3>>written 4<read 5<>new; : > \(ready.dropFirst().dropLast()); \
        read line < \(fifo.dropFirst().dropLast())' > /dev/null 2>&1 & echo $!; }
        """
      ).output.filter(\.isNumber)
      _ = shell("cat \(ready)")
      let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
      _ = shell("echo > \(fifo)")
      #expect(outcome.problems.isEmpty, "\(outcome.problems)")
      #expect(
        outcome.openFiles.map { String(decoding: $0.path.path, as: UTF8.self) } == [
          "new", "written",
        ])
      for file in outcome.openFiles {
        #expect(file.writers == [FileWriter(pid: try #require(Int32(pid)), name: "sh")])
      }
      #expect(shell("cat \(path)/written").output == "1\n")
    }
  }

  @Test func `what nobody writes has no writers`() throws {
    try withTemporaryDirectory { base in
      let file = base.appending("f")
      let status = try Descriptor.open(file, [.writeOnly, .create]).status()
      #expect(FileWriters.find([FileIdentity(status)]).isEmpty)
      #expect(FileWriters.find([]).isEmpty)
    }
  }
}
