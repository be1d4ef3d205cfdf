import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

@Suite struct OperationsTests {
  /// What a sequence of restores, undos and redos has to do: the states before and after each.
  private struct Model {
    struct Operation {
      let before: [String: ScannedEntry]
      let after: [String: ScannedEntry]
      var isUndone = false
    }
    var operations: [Operation] = []

    var toUndo: Int? { operations.lastIndex { !$0.isUndone } }
    /// What was undone with nothing else done since, the last one last.
    var undone: [Int] = []
    var toRedo: Int? { undone.last }
  }

  @Test func `any sequence of restores, undos and redos is as the model says`() throws {
    var generator = SplitMix.fresh("undo and redo")
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      var maker = RestoreTreeMaker(fixture.folderPath, SplitMix(seed: generator.next()))
      try maker.grow(15)
      var states: [(KnownSnapshot, [String: ScannedEntry])] = []
      for _ in 0..<3 {
        try maker.change(6)
        try maker.settleTimes()
        states.append((try folder.take(), try scan(fixture.folderPath)))
      }
      var model = Model()
      for step in 0..<30 {
        let before = try scan(fixture.folderPath)
        switch generator.below(3) {
        case 0:
          let (snapshot, state) = states[generator.below(states.count)]
          if differences(before, state) == [] { continue }
          if generator.oneIn(3) { try maker.change(3) }
          try maker.settleTimes()
          let spoilt = try scan(fixture.folderPath)
          let outcome = try folder.restore(RestoreRequest(.snapshot(snapshot)))
          #expect(outcome.problems.isEmpty)
          #expect(differences(state, try scan(fixture.folderPath)) == [], "step \(step)")
          model.operations.append(Model.Operation(before: spoilt, after: state))
          model.undone = []
        case 1:
          if let index = model.toUndo {
            _ = try folder.undo()
            #expect(
              differences(model.operations[index].before, try scan(fixture.folderPath)) == [],
              "step \(step)")
            model.operations[index].isUndone = true
            model.undone.append(index)
          } else {
            let error = #expect(throws: FolderError.self) { try folder.undo() }
            #expect(error?.code == .notFound)
          }
        default:
          if let index = model.toRedo {
            _ = try folder.redo()
            #expect(
              differences(model.operations[index].after, try scan(fixture.folderPath)) == [],
              "step \(step)")
            model.operations[index].isUndone = false
            model.undone.removeLast()
          } else {
            let error = #expect(throws: FolderError.self) { try folder.redo() }
            #expect(error?.code == .notFound)
          }
        }
        #expect(
          try folder.operations().reversed().map(\.isUndone) == model.operations.map(\.isUndone),
          "step \(step)")
      }
    }
  }

  @Test func `undo of a path brings back that path alone`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && echo 1 > a && echo 1 > b")
      let good = try folder.take()
      _ = shell("cd \(path) && echo 2 > a && echo 2 > b")
      let key = PathKey(bytes: Array("a".utf8))
      _ = try folder.restore(RestoreRequest(.snapshot(good), paths: [key]))
      #expect(shell("cd \(path) && cat a b").output == "1\n2\n")
      _ = shell("cd \(path) && echo 3 > b")
      _ = try folder.undo()
      #expect(shell("cd \(path) && cat a b").output == "2\n3\n")
      #expect(try folder.operations().map(\.kind) == ["restore"])
      _ = try folder.redo()
      #expect(shell("cd \(path) && cat a b").output == "1\n3\n")
    }
  }

  @Test func `a checkout goes to the other branch, and undo back`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && echo 1 > a")
      let one = try folder.take()
      _ = shell("cd \(path) && echo 2 > a")
      let two = try folder.take()
      var request = RestoreRequest(.snapshot(one))
      request.kind = "checkout"
      request.branch = "side"
      request.newBranchFrom = one.id
      let outcome = try folder.restore(request)
      #expect(try folder.history().currentBranch == "side")
      #expect(outcome.restoreSnapshot?.snapshot.parent == one.id)
      #expect(outcome.restoreSnapshot?.snapshot.branch == "side")
      #expect(outcome.safetySnapshot == nil)
      #expect(shell("cat \(path)/a").output == "1\n")
      _ = try folder.undo()
      #expect(shell("cat \(path)/a").output == "2\n")
      let history = try folder.history()
      #expect(history.currentBranch == "main")
      #expect(history.branch("side") == nil)
      #expect(try history.snapshot(try #require(history.head)).snapshot.parent == two.id)
      _ = try folder.redo()
      #expect(try folder.history().currentBranch == "side")
      #expect(shell("cat \(path)/a").output == "1\n")
    }
  }

  @Test func `an operation that moved refs is taken back by moving them back`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      _ = shell("cd \(quoted(fixture.folderPath)) && echo 1 > a")
      let one = try folder.take()
      var draft = RecordDraft(kind: "tag", summary: "tag v1")
      draft.moves = [RefMove(ref: folder.refs.tag("v1"), old: nil, new: .id(one.id))]
      _ = try folder.repository.refLog.append(draft, at: SystemTimeSource().now())
      #expect(try folder.history().tag("v1") == one.id)
      let undone = try folder.undo()
      #expect(undone.operation.kind == "tag")
      #expect(undone.restore == nil)
      #expect(try folder.history().tag("v1") == nil)
      _ = try folder.redo()
      #expect(try folder.history().tag("v1") == one.id)
      // A tag that has moved since is not moved back unseen.
      var other = RecordDraft(kind: "label", summary: "")
      other.moves = [RefMove(ref: folder.refs.tag("v1"), old: .id(one.id), new: nil)]
      _ = try folder.repository.refLog.append(other, at: SystemTimeSource().now())
      let error = #expect(throws: FolderError.self) { try folder.undo() }
      #expect(error?.code == .conflict)
    }
  }

  @Test func `the log grows by the safety snapshot and one of the result`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let folder = try fixture.open()
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && echo 1 > a")
      let one = try folder.take()
      _ = shell("cd \(path) && echo 2 > a")
      let two = try folder.take()
      let clean = try folder.restore(RestoreRequest(.snapshot(one)))
      #expect(clean.safetySnapshot == nil)
      #expect(clean.restoreSnapshot?.snapshot.parent == two.id)
      _ = shell("cd \(path) && echo 3 > a")
      let dirty = try folder.restore(RestoreRequest(.snapshot(one)))
      #expect(dirty.safetySnapshot?.snapshot.trigger == "safety")
      #expect(dirty.safetySnapshot?.snapshot.parent == clean.restoreSnapshot?.id)
      #expect(dirty.restoreSnapshot?.snapshot.parent == dirty.safetySnapshot?.id)
      let nothing = try folder.restore(RestoreRequest(.snapshot(one)))
      #expect(nothing.restoreSnapshot == nil)
      #expect(try folder.history().head == dirty.restoreSnapshot?.id)
    }
  }
}
