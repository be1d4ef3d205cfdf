import DTMSystem
import DTMTestSupport
import DTMWatch
import Testing

@Suite struct DirtyMarksTests {
  private func covers(_ marks: [DirtySet.Mark], _ mark: DirtySet.Mark) -> Bool {
    marks.contains {
      $0.scope == .subtree && (mark.key == $0.key || mark.key.isBeneath($0.key))
        || $0 == mark
    }
  }

  @Test(arguments: [4, 10, 100, 1000]) func `whatever is folded, each mark stays covered`(
    limit: Int
  ) {
    var random = SplitMix.fresh("marks \(limit)")
    for _ in 0..<30 {
      var marks = DirtyMarks(isEverything: false, limit: limit)
      var inserted: [DirtySet.Mark] = []
      for _ in 0..<random.below(limit * 4) {
        let depth = 1 + random.below(5)
        let key = PathKey(
          (0..<depth).map { _ in "n\(random.below(6))" }.joined(separator: "/"))!
        let scope: DirtySet.Scope = random.oneIn(20) ? .subtree : .entry
        if scope == .entry, let parent = key.parent {
          marks.insert(key.name[...], in: parent)
        } else {
          marks.insert(key, scope)
        }
        inserted.append(.init(key: key, scope: scope))
        #expect(marks.count <= limit)
      }
      if marks.isEverything { continue }
      let sorted = marks.sorted()
      #expect(sorted.map(\.key) == sorted.map(\.key).sorted())
      for mark in inserted { #expect(covers(sorted, mark)) }
      for (left, right) in zip(sorted, sorted.dropFirst()) {
        #expect(!(left.scope == .subtree && right.key.isBeneath(left.key)))
      }
    }
  }

  @Test func `the fullest directory is folded and the others stay as they are`() {
    var marks = DirtyMarks(isEverything: false, limit: 100)
    for index in 0..<10 { marks.insert(PathKey("few\(index)/file")!, .entry) }
    for index in 0..<95 { marks.insert(PathKey("many/file\(index)")!, .entry) }
    let sorted = marks.sorted()
    #expect(sorted.contains(.init(key: PathKey("many")!, scope: .subtree)))
    #expect(sorted.filter { $0.key.path.starts(with: Array("few".utf8)) }.count == 10)
  }

  @Test func `folding fifty thousand names is no work for the reader`() {
    var marks = DirtyMarks(isEverything: false, limit: 50_000)
    for index in 0..<50_000 { marks.insert(Array("file\(index)".utf8)[...], in: PathKey("a")!) }
    let started = SystemTimeSource().monotonic()
    marks.insert(Array("one more".utf8)[...], in: PathKey("a")!)
    let passed = SystemTimeSource().monotonic() - started
    print("a fold of 50,000 names took \(passed)")
    #expect(marks.sorted() == [.init(key: PathKey("a")!, scope: .subtree)])
    // A fortieth of that was measured; the queue holds 200 ms of the fastest creation.
    #expect(passed < .milliseconds(200))
  }

  @Test func `the root's subtree is everything`() {
    var marks = DirtyMarks(isEverything: false)
    marks.insert(PathKey("a")!, .entry)
    marks.insert(.root, .subtree)
    #expect(marks.isEverything && marks.count == 0 && !marks.isEmpty)
  }
}

@Suite struct HotFilesTests {
  @Test func `beyond the limit the directory is kept instead`() {
    var hot = HotFiles(limit: 2)
    for name in ["a/1", "a/2", "b/3", "a/1"] { hot.insert(PathKey(name)!, at: 1) }
    #expect(hot.sorted == [PathKey("a/1")!, PathKey("a/2")!])
    #expect(hot.directories.keys.sorted() == [PathKey("b")!])
    for name in ["c/4", "d/5"] { hot.insert(PathKey(name)!, at: 1) }
    #expect(hot.directories.keys.sorted() == [.root, PathKey("b")!, PathKey("c")!])
  }

  @Test func `a moved directory takes its hot files along`() {
    var hot = HotFiles()
    for name in ["a/b/1", "ab/2", "a/3"] { hot.insert(PathKey(name)!, at: 1) }
    hot.move(PathKey("a")!, to: PathKey("x/y")!)
    #expect(hot.sorted == [PathKey("ab/2")!, PathKey("x/y/3")!, PathKey("x/y/b/1")!].sorted())
    let hadSome = hot.removeAll(beneath: PathKey("x")!)
    #expect(hadSome)
    #expect(hot.sorted == [PathKey("ab/2")!])
  }
}
