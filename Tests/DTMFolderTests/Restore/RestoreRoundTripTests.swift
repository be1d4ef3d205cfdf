import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

@Suite struct RestoreRoundTripTests {
  @Test(arguments: 0..<12)
  func `a random tree comes back over another one exactly, and undo brings the other back`(
    round: Int
  ) throws {
    var generator = SplitMix.fresh("restore round trip \(round)")
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      var maker = RestoreTreeMaker(fixture.folderPath, SplitMix(seed: generator.next()))
      try maker.grow(60)
      try maker.settleTimes()
      let first = try scan(fixture.folderPath)
      let good = try folder.take("good")
      let copy = base.appending("copy")
      #expect(shell("cp -a \(quoted(fixture.folderPath)) \(quoted(copy))").status == 0)

      try maker.change(25)
      try maker.settleTimes()
      let second = try scan(fixture.folderPath)
      let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
      #expect(outcome.problems.isEmpty, "\(outcome.problems)")
      #expect(differences(first, try scan(fixture.folderPath)) == [])
      if let seen = rsyncDifferences(copy, fixture.folderPath) { #expect(seen == "") }
      #expect(outcome.safetySnapshot != nil)
      #expect(outcome.restoreSnapshot?.snapshot.trigger == "restore")
      #expect(outcome.restoreSnapshot?.snapshot.parent == outcome.safetySnapshot?.id)

      let undone = try folder.undo()
      #expect(undone.restore?.problems.isEmpty == true)
      #expect(differences(second, try scan(fixture.folderPath)) == [])
      _ = try folder.redo()
      #expect(differences(first, try scan(fixture.folderPath)) == [])
    }
  }

  @Test func `only what differs is touched`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      #expect(
        shell(
          """
          cd \(quoted(fixture.folderPath)) && mkdir a b c && for d in a b c; do \
          for i in $(seq 50); do head -c 3000 /dev/urandom > $d/$i; done; done
          """
        ).status == 0)
      let good = try folder.take()
      #expect(
        shell("cd \(quoted(fixture.folderPath)) && echo bad > a/7 && rm b/9 && echo new > c/new")
          .status == 0)
      let before = shell("cd \(quoted(fixture.folderPath)) && stat -c '%n %i %y' a/* b/* c/*")
        .output
      let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
      let after = shell("cd \(quoted(fixture.folderPath)) && stat -c '%n %i %y' a/* b/* c/*").output
      #expect(outcome.written == 2)
      #expect(outcome.removed == 1)
      #expect(outcome.metadata == 0)
      #expect(outcome.bytesWritten == 6000)
      let lines = { (text: String) in Set(text.split(separator: "\n").map(String.init)) }
      let changed = lines(before).symmetricDifference(lines(after))
      #expect(Set(changed.map { $0.split(separator: " ")[0] }) == ["a/7", "b/9", "c/new"])
    }
  }

  @Test func `without a snapshot a path goes back to its newest version that differs`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && echo one > f && echo x > g")
      _ = try folder.take("one")
      _ = shell("cd \(path) && echo two > f")
      let two = try folder.take("two")
      _ = shell("cd \(path) && echo bad > f")
      // The damage has been recorded already.
      _ = try folder.take("bad")
      let key = PathKey(bytes: Array("f".utf8))
      let outcome = try folder.restore(RestoreRequest(.newest, paths: [key]))
      #expect(outcome.versions.map(\.snapshot.id) == [two.id])
      #expect(shell("cat \(path)/f").output == "two\n")
      #expect(outcome.safetySnapshot == nil)
      _ = shell("rm \(path)/g")
      let gone = try folder.restore(
        RestoreRequest(.newest, paths: [PathKey(bytes: Array("g".utf8))]))
      #expect(gone.written == 1)
      #expect(shell("cat \(path)/g").output == "x\n")
      let error = #expect(throws: FolderError.self) {
        try folder.restore(RestoreRequest(.newest, paths: [PathKey(bytes: Array("none".utf8))]))
      }
      #expect(error?.code == .notFound)
      let nothing = try folder.restore(
        RestoreRequest(.newest, paths: [PathKey(bytes: Array("g".utf8))]))
      #expect(nothing.unchanged.count == 1)
      #expect(nothing.restoreSnapshot == nil)
    }
  }

  @Test func `paths are laid out whole beneath a new directory, and the folder stays as it is`()
    throws
  {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      var maker = RestoreTreeMaker(fixture.folderPath, SplitMix.fresh("lay out"))
      try maker.grow(80)
      try maker.settleTimes()
      let first = try scan(fixture.folderPath)
      let good = try folder.take()
      let sequence = try folder.operations().count
      var request = RestoreRequest(.snapshot(good))
      request.destination = base.appending("there")
      let outcome = try folder.restore(request)
      #expect(outcome.problems.isEmpty)
      #expect(differences(first, try scan(base.appending("there"))) == [])
      #expect(rsyncDifferences(fixture.folderPath, base.appending("there")) ?? "" == "")
      #expect(try folder.history().head == good.id)
      #expect(try folder.operations().count == sequence)
      let error = #expect(throws: FolderError.self) { try folder.restore(request) }
      #expect(error?.code == .exists)
      request.overwrites = true
      #expect(try folder.restore(request).problems.isEmpty)
      let found = differences(first, try scan(base.appending("there")))
      #expect(found == [])
    }
  }

  @Test func `a dry run says what the run does, and changes nothing`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      var maker = RestoreTreeMaker(fixture.folderPath, SplitMix.fresh("dry run"))
      try maker.grow(40)
      let good = try folder.take()
      try maker.change(15)
      let before = try scan(fixture.folderPath)
      var request = RestoreRequest(.snapshot(good))
      request.isDryRun = true
      let dry = try folder.restore(request)
      #expect(differences(before, try scan(fixture.folderPath)) == [])
      #expect(try folder.history().head == good.id)
      request.isDryRun = false
      let wet = try folder.restore(request)
      #expect(dry.plan == wet.plan)
      #expect(!wet.plan.isEmpty)
    }
  }

  @Test func `a folder that is gone comes back with its pointer`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      var folder: Folder? = try fixture.open()
      var maker = RestoreTreeMaker(fixture.folderPath, SplitMix.fresh("missing root"))
      try maker.grow(60)
      try maker.settleTimes()
      let first = try scan(fixture.folderPath)
      _ = try folder?.take()
      folder = nil
      try removeTree(fixture.folderPath)
      let repository = try Repository(at: fixture.repositoryPath)
      let outcome = try Folder.restoreMissing(
        fixture.location, id: fixture.id, repository: repository, RestoreRequest(.newest))
      #expect(outcome.problems.isEmpty)
      #expect(outcome.safetySnapshot == nil)
      #expect(outcome.restoreSnapshot?.snapshot.basis == .full)
      #expect(differences(first, try scan(fixture.folderPath)) == [])
      #expect(try FolderLocation.at(fixture.folderPath) == fixture.location)
      let again = try fixture.open()
      #expect(try again.take().snapshot.tree == outcome.restoreSnapshot?.snapshot.tree)
    }
  }

  @Test func `a folder that is gone stays gone in a dry run and beside a copy`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      var folder: Folder? = try fixture.open()
      _ = shell("cd \(quoted(fixture.folderPath)) && mkdir d && echo 1 > d/one && echo 2 > two")
      let first = try scan(fixture.folderPath)
      _ = try folder?.take()
      folder = nil
      try removeTree(fixture.folderPath)
      let repository = try Repository(at: fixture.repositoryPath)
      var request = RestoreRequest(.newest)
      request.isDryRun = true
      let plan = try Folder.restoreMissing(
        fixture.location, id: fixture.id, repository: repository, request)
      #expect(plan.written == 3)
      #expect(try FolderLocation.at(fixture.folderPath) == nil)
      request.isDryRun = false
      request.destination = base.appending("copy")
      let copy = try Folder.restoreMissing(
        fixture.location, id: fixture.id, repository: repository, request)
      #expect(copy.written == 3)
      #expect(copy.restoreSnapshot == nil)
      #expect(differences(first, try scan(base.appending("copy"))) == [])
      request.paths = ["d/one"]
      request.destination = base.appending("one")
      let one = try Folder.restoreMissing(
        fixture.location, id: fixture.id, repository: repository, request)
      #expect(one.versions.count == 1)
      #expect(shell("cat \(quoted(base.appending("one/d/one")))").output == "1\n")
      #expect(try FolderLocation.at(fixture.folderPath) == nil)
    }
  }

  @Test func `what was added since is kept on demand`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && mkdir d && echo 1 > d/old && echo 1 > file")
      let good = try folder.take()
      _ = shell(
        "cd \(path) && echo 2 > d/old && echo 2 > d/new && rm file && mkdir file && echo 3 > file/in"
      )
      var request = RestoreRequest(.snapshot(good))
      request.keepsAdded = true
      let outcome = try folder.restore(request)
      #expect(outcome.removed == 0)
      #expect(shell("cd \(path) && cat d/old d/new file/in").output == "1\n2\n3\n")
      #expect(outcome.problems.map(\.key.path) == [Array("file".utf8)])
    }
  }
}
