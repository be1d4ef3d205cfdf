import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

struct SnapshotPropertyTests {
  /// Bases in turn: what a watcher tells, a scan, everything read.
  private enum Way: CaseIterable {
    case events, scan, mixed
  }

  @Test(arguments: [true, false])
  func `snapshots by events and by scans are what a capture from scratch makes`(
    _ isMultigrain: Bool
  ) throws {
    var environment = CaptureEnvironment.system()
    environment.hasMultigrainTimes = isMultigrain
    for way in Way.allCases {
      let random = SplitMix.fresh("snapshots \(way)")
      try withFixture(environment: environment) { fixture in
        var edits = RandomEdits(fixture.sandbox, random)
        try fixture.snapshot(fixture.scan())
        for round in 0..<25 {
          for _ in 0...edits.random.below(12) { try edits.step() }
          let (paths, subtrees) = edits.takeChanges()
          let changes: ChangeSet
          switch way {
          case .events: changes = fixture.events(paths, subtrees: subtrees)
          case .scan: changes = fixture.scan()
          case .mixed:
            changes =
              edits.random.oneIn(2)
              ? fixture.events(paths, subtrees: subtrees) : fixture.scan()
          }
          if edits.random.oneIn(4) { try fixture.reopen() }
          let outcome = try fixture.snapshot(changes)
          let snapshot = try #require(outcome.snapshot)
          #expect(snapshot.problems == [], "\(way) \(round)")
          let scratch = try fixture.scratchTree()
          #expect(snapshot.tree == scratch, "\(way), round \(round)")
          if snapshot.tree != scratch {
            Issue.record("\(edits.log.suffix(60).joined(separator: "\n"))")
            try describe(fixture, snapshot)
            return
          }
          try checkCounts(fixture, snapshot)
        }
      }
    }
  }

  private func describe(_ fixture: FolderFixture, _ snapshot: Snapshot) throws {
    let stranger = try Folder(
      at: fixture.sandbox.path, id: PackID.random(), repository: fixture.repository,
      repositoryPath: "/nowhere", environment: fixture.environment)
    let working = try stranger.working(ChangeSet(basis: .full))
    let old = Tree(root: snapshot.tree, objects: fixture.repository.objects)
    try working.tree.forEachDifference(from: old) { difference in
      Issue.record("\(String(describing: difference.old)) is \(String(describing: difference.new))")
      return true
    }
  }

  private func checkCounts(_ fixture: FolderFixture, _ snapshot: Snapshot) throws {
    let tree = Tree(root: snapshot.tree, objects: fixture.repository.objects)
    let entries = try fixture.entries(tree)
    let files = entries.filter { $0.kind == .file }
    #expect(snapshot.counts.files == files.count)
    #expect(snapshot.counts.bytes == files.reduce(0) { $0 + Int($1.size) })
    #expect(snapshot.counts.entries == entries.count - 1)
    guard let parent = snapshot.parent else { return }
    let before = try Snapshot(
      decoding: fixture.repository.objects.read(parent, .snapshot), id: parent)
    let old = Tree(root: before.tree, objects: fixture.repository.objects)
    var counts = Snapshot.Counts()
    try tree.forEachDifference(from: old) { difference in
      if difference.old == nil { counts.added += 1 }
      if difference.new == nil { counts.removed += 1 }
      if let old = difference.old, let new = difference.new,
        old.kind != .directory || new.kind != .directory
      {
        // That nobody has a file open any more is no change of it.
        var same = new
        same.isHot = old.isHot
        if same != old { counts.modified += 1 }
      }
      return true
    }
    #expect(snapshot.counts.added == counts.added)
    #expect(snapshot.counts.removed == counts.removed)
    #expect(snapshot.counts.modified == counts.modified)
  }

  @Test func `no edit, and a directory's time alone, make no snapshot and are not forgotten`()
    throws
  {
    try withFixture { fixture in
      try fixture.sandbox.directory("d")
      try fixture.sandbox.write("d/f", "1")
      let first = try fixture.snapshot(fixture.scan())
      #expect(first.wasCreated)
      #expect(try !fixture.snapshot(fixture.events([]), ifChanged: true).wasCreated)
      try fixture.sandbox.setTime("d", seconds: 77)
      let second = try fixture.snapshot(fixture.events(["d"]), ifChanged: true)
      #expect(!second.wasCreated)
      #expect(second.id == first.id)
      #expect(try !fixture.snapshot(fixture.scan(), ifChanged: true).wasCreated)
      try fixture.sandbox.write("d/f", "22")
      let third = try fixture.snapshot(fixture.events(["d/f"]), ifChanged: true)
      #expect(third.wasCreated)
      #expect(third.snapshot?.tree == (try fixture.scratchTree()))
      #expect(third.snapshot?.counts.modified == 1)
    }
  }

  @Test func `a damaged or lost state costs a scan and nothing else`() throws {
    var random = SplitMix.fresh("damaged state")
    try withFixture { fixture in
      var edits = RandomEdits(fixture.sandbox, SplitMix(seed: random.next()))
      for _ in 0..<400 { try edits.step() }
      try fixture.snapshot(fixture.scan())
      let state = Sandbox(path: fixture.repositoryPath)
      let name = PathKey("state/\(fixture.folderID.hex).sqlite") ?? .root
      for round in 0..<12 {
        for _ in 0...edits.random.below(4) { try edits.step() }
        _ = edits.takeChanges()
        fixture.folder.state.close()
        let size = Int(try state.status(name).size)
        switch round % 4 {
        case 0: try state.remove(name)
        case 1: try state.truncate(name, random.below(size))
        case 2: try state.write(name, [UInt8](repeating: 7, count: 50_000))
        default:
          for _ in 0..<40 {
            try state.patch(
              name, at: random.below(size), [UInt8(truncatingIfNeeded: random.next())])
          }
        }
        try fixture.reopen()
        let outcome = try fixture.snapshot(fixture.scan())
        #expect(outcome.snapshot?.tree == (try fixture.scratchTree()), "round \(round)")
        #expect(outcome.snapshot?.problems == [])
      }
    }
  }

  @Test func `a state of an older snapshot is compared with that snapshot`() throws {
    try withFixture { fixture in
      try fixture.sandbox.write("a", "1")
      try fixture.sandbox.write("b", "1")
      try fixture.snapshot()
      let state = Sandbox(path: fixture.repositoryPath)
      let name = PathKey("state/\(fixture.folderID.hex).sqlite") ?? .root
      fixture.folder.state.close()
      let kept = try state.open(name, 0).readToEnd()
      try fixture.reopen()
      try fixture.sandbox.write("a", "22")
      try fixture.snapshot()
      fixture.folder.state.close()
      try state.write(name, kept)
      try fixture.reopen()
      try fixture.sandbox.remove("b")
      let outcome = try fixture.snapshot()
      #expect(outcome.snapshot?.tree == (try fixture.scratchTree()))
      #expect(outcome.snapshot?.counts.modified == 0)
      #expect(outcome.snapshot?.counts.removed == 1)
    }
  }
}
