import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import Synchronization
import SystemPackage
import Testing

/// Pipelines that write between the last look at a file and the moment it goes: what they wrote wins, and
/// that is said.
@Suite struct RestoreRaceTests {
  enum Write: String, CaseIterable, Sendable {
    case over = "echo pipeline > new && mv new"
    case inPlace = "echo pipeline >"
    case append = "echo pipeline >>"
  }

  enum Moment: Sendable, CaseIterable {
    case checked, exchanged
  }

  private func isMoment(_ point: RestorePoint, _ moment: Moment) -> Bool {
    switch point {
    case .checked: moment == .checked
    case .exchanged: moment == .exchanged
    default: false
    }
  }

  @Test(arguments: Write.allCases)
  func `what is written after the last look is left`(write: Write) throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && echo good > a && echo good > b")
      let folder = try fixture.open()
      let good = try folder.take()
      _ = shell("cd \(path) && echo bad, longer > a && echo bad, longer > b && echo added > c")
      let count = Atomic<Int>(0)
      let outcome = try folder.restore(RestoreRequest(.snapshot(good))) {
        point throws(FolderError) in
        guard isMoment(point, .checked) else { return }
        let name = ["a", "b", "c"][count.wrappingAdd(1, ordering: .relaxed).oldValue]
        // `b` is left alone.
        if name != "b" { _ = shell("cd \(path) && \(write.rawValue) \(name)") }
      }
      #expect(count.load(ordering: .relaxed) == 3)
      #expect(outcome.problems.map(\.key) == ["a", "c"])
      #expect(outcome.problems.allSatisfy { $0.kind == .changing })
      #expect(outcome.written == 1 && outcome.removed == 0)
      let found = shell("cd \(path) && tail -qn 1 a b c; ls -A").output
      #expect(found == "pipeline\ngood\npipeline\na\nb\nc\n")
      // What stood there before is in the safety snapshot, what stands there now in the last one.
      let safety = try #require(outcome.safetySnapshot)
      let tree = Tree(root: safety.snapshot.tree, objects: folder.repository.objects)
      #expect(try tree.entry("a")?.content == .inline(Array("bad, longer\n".utf8)))
      let last = try #require(outcome.restoreSnapshot)
      let now = Tree(root: last.snapshot.tree, objects: folder.repository.objects)
      #expect(try now.entry("c")?.content != .inline(Array("added\n".utf8)))
    }
  }

  @Test func `what takes the place of what was just restored stays`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && echo good > a && echo good > b")
      let folder = try fixture.open()
      let good = try folder.take()
      _ = shell("cd \(path) && echo bad, longer > a && echo bad, longer > b && echo added > c")
      let number = Atomic<Int>(0)
      let outcome = try folder.restore(RestoreRequest(.snapshot(good))) {
        point throws(FolderError) in
        let text = "echo \(number.wrappingAdd(1, ordering: .relaxed).newValue) > new && mv new"
        switch point {
        // Of `a` both times, of the others when they have just gone.
        case .checked(0): _ = shell("cd \(path) && \(text) a")
        case .exchanged(0): _ = shell("cd \(path) && \(text) a")
        case .exchanged(1): _ = shell("cd \(path) && \(text) b")
        case .exchanged(2): _ = shell("cd \(path) && \(text) c")
        default: return
        }
      }
      // The newest of each; `a` was given up, `b` and `c` were done before.
      #expect(outcome.problems.map(\.key) == ["a"])
      let found = shell("cd \(path) && cat a b c; ls -A").output.split(separator: "\n")
      #expect(found.suffix(3) == ["a", "b", "c"])
      let numbers = found.prefix(3).compactMap { Int($0) }
      #expect(numbers.count == 3 && numbers[0] > 1)
    }
  }

  @Test func `a thread that writes all the while loses nothing`() throws {
    try withTemporaryDirectory { base in
      let fixture = try RestoreFixture(base)
      let path = quoted(fixture.folderPath)
      _ = shell("cd \(path) && for i in $(seq 8); do echo good > f$i; done")
      let folder = try fixture.open()
      let good = try folder.take()
      let isDone = Atomic(false)
      let writes = Mutex<[Int: Int]>([:])
      let sandbox = Sandbox(path: fixture.folderPath)
      let writer = try DedicatedThread(named: "pipeline") {
        var generation = 0
        do {
          while !isDone.load(ordering: .relaxed) {
            generation += 1
            let name = PathKey("f\(generation % 8 + 1)") ?? .root
            try sandbox.write("temporary", "generation \(generation)\n")
            try sandbox.rename("temporary", to: name)
            writes.withLock { $0[generation % 8 + 1] = generation }
          }
        } catch { Issue.record(error) }
      }
      var (won, lost) = (0, 0)
      for _ in 0..<(LongForm.isAsked ? 1000 : 40) {
        do {
          let outcome = try folder.restore(RestoreRequest(.snapshot(good)))
          won += outcome.problems.count
          lost += outcome.written
        } catch {
          // It may say that the ground moves.
          #expect((error as? FolderError)?.code == .inputOutput, "\(error)")
        }
      }
      isDone.store(true, ordering: .relaxed)
      writer.join()
      _ = try folder.take()
      // Each file has its last generation still, or `good` and a snapshot that has the generation.
      let history = try folder.history()
      for (number, last) in writes.withLock({ $0 }) {
        let name = PathKey("f\(number)") ?? .root
        let now = String(decoding: try sandbox.open(name, O_RDONLY).readToEnd(), as: UTF8.self)
        if now == "generation \(last)\n" { continue }
        var snapshot = history.head
        var isKept = false
        while let id = snapshot, !isKept {
          let known = try history.snapshot(id)
          let tree = Tree(root: known.snapshot.tree, objects: folder.repository.objects)
          isKept =
            try tree.entry(name)?.content == .inline(Array("generation \(last)\n".utf8))
          snapshot = known.snapshot.parent
        }
        #expect(isKept, "f\(number): generation \(last) is lost, there is \(now)")
      }
      #expect(won > 0 || lost > 0)
      #expect(shell("cd \(path) && ls -A | grep -c dtm-restore").output == "0\n")
    }
  }
}
