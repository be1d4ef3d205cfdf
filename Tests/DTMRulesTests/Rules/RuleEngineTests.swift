import DTMRules
import DTMSystem
import DTMTestSupport
import Testing

@Suite struct `Rules` {
  func key(_ path: String) throws -> PathKey { try #require(PathKey(path)) }

  func pattern(_ text: String) throws -> RulePattern { try #require(RulePattern(text)) }

  func engine(
    _ rules: [Rule], memory: RuleMemory = RuleMemory(), zone: String = "UTC",
    at now: Timestamp = Timestamp(seconds: 1_000_000)
  ) -> RuleEngine {
    RuleEngine(
      rules: rules, memory: memory, folder: "lake", calendar: LocalCalendar(zone: zone), at: now)
  }

  func version(_ number: Int64) -> PathVersion {
    PathVersion(device: 1, inode: UInt64(number), modified: number)
  }

  @Test func `a marker fires once for each version of it, for each rule`() throws {
    var rules = engine([
      Rule(name: "a", conditions: [.marker(try pattern("**/_SUCCESS"))]),
      Rule(name: "b", conditions: [.marker(try pattern("out/*/_SUCCESS"))]),
    ])
    let marker = try key("out/x/_SUCCESS")
    #expect(rules.mayFit(marker, isDirectory: false))
    #expect(!rules.mayFit(marker, isDirectory: true))
    #expect(!rules.mayFit(try key("out/x/_SUCCESS2"), isDirectory: false))
    rules.sawFile(marker, version(1), isArrival: false)
    rules.sawFile(marker, version(1), isArrival: false)
    let firings = rules.takeFirings()
    #expect(firings.map(\.rule) == [0, 1])
    // Seen again while its snapshot is taken.
    rules.sawFile(marker, version(1), isArrival: false)
    #expect(rules.takeFirings().isEmpty)
    for firing in firings { rules.committed(firing, at: Timestamp(seconds: 2)) }
    rules.sawFile(marker, version(1), isArrival: false)
    #expect(rules.takeFirings().isEmpty)
    rules.sawFile(marker, version(2), isArrival: false)
    #expect(rules.takeFirings().count == 2)
    rules.sawFile(try key("in/x/_SUCCESS"), version(3), isArrival: false)
    #expect(rules.takeFirings().map(\.rule) == [0])
  }

  /// As versions of a table do, of which a look finds some and events tell of the same again.
  @Test func `markers fire in the order in which they were seen first`() throws {
    var rules = engine([Rule(name: "a", conditions: [.marker(try pattern("*.json"))])])
    for (name, number) in [("0", 1), ("1", 2), ("2", 3), ("0", 1), ("1", 2), ("3", 4), ("0", 9)] {
      rules.sawFile(try key("\(name).json"), version(Int64(number)), isArrival: false)
    }
    // What was touched meanwhile is a marker that came last.
    #expect(
      rules.takeFirings().compactMap(\.path)
        == ["1", "2", "3", "0"].map { PathKey("\($0).json") })
  }

  @Test func `another inode of the same number is another version`() throws {
    var rules = engine([Rule(name: "a", conditions: [.movedIn(try pattern("r/*"))])])
    for born in [Int64(1), 1, 2] {
      let version = PathVersion(device: 1, inode: 1, born: born, modified: 1)
      rules.sawDirectory(try key("r/v"), version)
      let firings = rules.takeFirings()
      for firing in firings { rules.committed(firing, at: Timestamp(seconds: 1)) }
      rules.sawDirectory(try key("r/v"), version)
      #expect(rules.takeFirings().isEmpty)
    }
    #expect(rules.memory.marks.count == 2)
  }

  @Test func `what is not committed fires again in the next process, what is does not`() throws {
    let rule = Rule(name: "a", conditions: [.marker(try pattern("m"))])
    var first = engine([rule])
    first.sawFile(try key("m"), version(1), isArrival: false)
    let lost = first.takeFirings()
    #expect(lost.count == 1)
    var second = engine([rule])
    second.sawFile(try key("m"), version(1), isArrival: false)
    #expect(second.takeFirings() == lost)
    var memory = RuleMemory()
    memory.add(lost[0].marks, at: Timestamp(seconds: 1))
    var third = engine([rule], memory: memory)
    third.sawFile(try key("m"), version(1), isArrival: false)
    #expect(third.takeFirings().isEmpty)
  }

  @Test func `what is renamed to a name fires once, whatever happens in it`() throws {
    var rules = engine([Rule(name: "a", conditions: [.movedIn(try pattern("released/*"))])])
    rules.sawFile(try key("released/made"), version(9), isArrival: false)
    #expect(rules.takeFirings().isEmpty)
    // Also not when it is looked at without knowing how it came.
    rules.sawFile(try key("released/made"), version(9), isArrival: true)
    #expect(rules.takeFirings().isEmpty)
    #expect(rules.silentMarks.count == 1)
    rules.sawDirectory(try key("released/v1"), version(1))
    let firings = rules.takeFirings()
    #expect(firings.count == 1)
    rules.committed(firings[0], at: Timestamp(seconds: 2))
    var later = version(1)
    later.modified = 77
    rules.sawDirectory(try key("released/v1"), later)
    #expect(rules.takeFirings().isEmpty)
    rules.sawDirectory(try key("released/v1"), version(2))
    #expect(rules.takeFirings().count == 1)
    rules.sawDirectory(try key("released/v1/deep"), version(3))
    #expect(rules.takeFirings().isEmpty)
  }

  @Test func `a marker waits until all other conditions hold`() throws {
    var rules = engine([
      Rule(name: "a", conditions: [.marker(try pattern("m")), .filesChanged(10)])
    ])
    rules.sawFile(try key("m"), version(1), isArrival: false)
    rules.changed(files: 9, bytes: 0)
    #expect(rules.takeFirings().isEmpty)
    rules.sawFile(try key("m"), version(2), isArrival: false)
    rules.changed(files: 10, bytes: 0)
    let firings = rules.takeFirings()
    #expect(firings.count == 1, "the version that is no more is not fired for")
    rules.committed(firings[0], at: Timestamp(seconds: 1))
    rules.sawFile(try key("m"), version(2), isArrival: false)
    #expect(rules.takeFirings().isEmpty)
  }

  @Test func `thresholds fire once until their snapshot is there`() throws {
    var rules = engine([
      Rule(name: "files", conditions: [.filesChanged(10)]),
      Rule(name: "bytes", conditions: [.bytesChanged(1000)]),
    ])
    #expect(rules.countsFiles && rules.countsBytes && !rules.isAboutPaths)
    rules.changed(files: 11, bytes: 999)
    let firings = rules.takeFirings()
    #expect(firings.map(\.rule) == [0])
    rules.changed(files: 20, bytes: 999)
    #expect(rules.takeFirings().isEmpty)
    rules.committed(firings[0], at: Timestamp(seconds: 1))
    rules.changed(files: 0, bytes: 1000)
    #expect(rules.takeFirings().map(\.rule) == [1])
  }

  @Test func `a directory fires when it holds enough`() throws {
    let parts = try pattern("part-*.parquet")
    var rules = engine([
      Rule(
        name: "a", conditions: [.directory(try pattern("runs/*/"), files: 3, matching: parts)])
    ])
    let file = try key("runs/7/part-1.parquet")
    #expect(rules.mayFit(file, isDirectory: false))
    #expect(!rules.mayFit(try key("runs/7/x.parquet"), isDirectory: false))
    #expect(!rules.mayFit(try key("other/7/part-1.parquet"), isDirectory: false))
    #expect(rules.countedDirectories(file).map(\.directory) == [try key("runs/7")])
    rules.counted(try key("runs/7"), version(1), matching: parts, files: 2)
    #expect(rules.takeFirings().isEmpty)
    rules.counted(try key("runs/7"), version(1), matching: parts, files: 3)
    let firings = rules.takeFirings()
    #expect(firings.map(\.path) == [try key("runs/7")])
    rules.committed(firings[0], at: Timestamp(seconds: 1))
    rules.counted(try key("runs/7"), version(1), matching: parts, files: 4)
    #expect(rules.takeFirings().isEmpty)
  }

  @Test func `stages fire for their own snapshot`() throws {
    var rules = engine([
      Rule(name: "all", conditions: [.stage(try pattern("*"))]),
      Rule(name: "clean", conditions: [.stage(try pattern("clean*"))]),
    ])
    #expect(rules.stage("load").map(\.rule) == [0])
    #expect(rules.stage("cleaning").map(\.rule) == [0, 1])
    #expect(rules.stage("").isEmpty)
    #expect(rules.takeFirings().isEmpty)
  }

  @Test func `what was there when a rule was new fires nothing`() throws {
    let rule = Rule(name: "a", conditions: [.marker(try pattern("m*"))])
    var rules = engine([rule])
    #expect(rules.hasNewRules)
    let (old, new) = try (key("m1"), key("m2"))
    let marks = rules.armingMarks { $0.sawFile(old, version(1), isArrival: true) }
    #expect(marks.count == 2)
    rules.learn(marks, at: Timestamp(seconds: 1))
    #expect(!rules.hasNewRules)
    for path in [old, new] { rules.sawFile(path, version(1), isArrival: true) }
    #expect(rules.takeFirings().map(\.path) == [new])
    // In the next process it is new no more.
    var memory = RuleMemory()
    memory.add(
      try #require(RuleMemory.decoded(RuleMemory.encoded(marks))), at: Timestamp(seconds: 1))
    #expect(!engine([rule], memory: memory).hasNewRules)
  }

  // MARK: - Clocks

  /// When it fires, in seconds, if it is looked at at these times.
  private func firings(_ rules: inout RuleEngine, at times: [Timestamp]) -> [Int64] {
    var fired: [Int64] = []
    for time in times {
      rules.tick(time)
      for firing in rules.takeFirings() {
        fired.append(time.seconds)
        rules.committed(firing, at: time)
      }
    }
    return fired
  }

  @Test func `a period fires each time, and once for times that were missed`() throws {
    var rules = engine(
      [Rule(name: "a", conditions: [.every(.seconds(60))])], at: Timestamp(seconds: 0))
    #expect(rules.nextTime == Timestamp(seconds: 60))
    #expect(
      firings(
        &rules, at: [1, 59, 60, 61, 119, 120, 1000, 1001, 1060].map { Timestamp(seconds: $0) })
        == [60, 120, 1000, 1060])
    // A clock that went back a day.
    #expect(firings(&rules, at: [Timestamp(seconds: -86_000)]).isEmpty)
    #expect(rules.nextTime == Timestamp(seconds: -86_000 + 60))
  }

  @Test func `a missed time is made up for once after a restart`() throws {
    let rule = Rule(name: "a", conditions: [.at(minute: 150)])
    var rules = engine([rule], at: Timestamp(seconds: 0))
    rules.tick(Timestamp(seconds: 9000))
    let firing = try #require(rules.takeFirings().first)
    var memory = RuleMemory()
    memory.add(firing.marks, at: Timestamp(seconds: 9000))
    let days: Int64 = 86_400
    var next = engine([rule], memory: memory, at: Timestamp(seconds: 3 * days))
    #expect(
      firings(&next, at: [Timestamp(seconds: 3 * days), Timestamp(seconds: 3 * days + 1)])
        == [3 * days])
    #expect(next.nextTime == Timestamp(seconds: 3 * days + 9000))
  }

  /// Berlin, 2026: clocks go forward on 29 March at 02:00, back on 25 October at 03:00.
  @Test(arguments: [
    (
      "2026-03-28T00:00:00Z",
      ["2026-03-28T01:30:00Z", "2026-03-29T01:30:00Z", "2026-03-30T00:30:00Z"]
    ),
    (
      "2026-10-24T00:00:00Z",
      ["2026-10-24T00:30:00Z", "2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
    ),
  ])
  func `a time of day fires once a day, whatever the clocks do`(
    _ start: String, _ wanted: [String]
  ) throws {
    var time = try #require(Timestamp(rfc3339: start))
    var rules = engine(
      [Rule(name: "a", conditions: [.at(minute: 150)])], zone: "Europe/Berlin", at: time)
    var fired: [String] = []
    for _ in 0..<(3 * 24 * 12) {
      time = time.advanced(by: .seconds(300))
      rules.tick(time)
      for firing in rules.takeFirings() {
        fired.append(time.rfc3339)
        rules.committed(firing, at: time)
      }
    }
    #expect(
      try fired.map { try #require(Timestamp(rfc3339: $0)) }
        == wanted.map { try #require(Timestamp(rfc3339: $0)) })
  }

  // MARK: - Any sequence

  /// Markers come, change and go, processes die with firings that are not committed: each version that
  /// was there at a look fires exactly once.
  @Test func `any sequence of sightings, commits and deaths fires each version once`() throws {
    var generator = SplitMix.fresh("rules")
    for _ in 0..<50 {
      let rule = Rule(name: "a", conditions: [.marker(try pattern("**/_SUCCESS"))])
      var rules = engine([rule])
      var disk = RuleMemory()
      var present: [PathKey: Int64] = [:]
      var committed: [String: Int] = [:]
      var inFlight: [RuleEngine.Firing: Int64] = [:]
      var number: Int64 = 0
      for _ in 0..<200 {
        switch generator.next() % 8 {
        case 0, 1, 2:
          number += 1
          let path = try key("d\(generator.next() % 5)/_SUCCESS")
          present[path] = number
          rules.sawFile(path, version(number), isArrival: false)
        case 3:
          // A look at everything.
          for (path, number) in present { rules.sawFile(path, version(number), isArrival: true) }
        case 4, 5:
          for firing in rules.takeFirings() {
            let path = try #require(firing.path)
            inFlight[firing] = present[path]
          }
        case 6:
          for (firing, number) in inFlight {
            disk.add(firing.marks, at: Timestamp(seconds: 1))
            rules.committed(firing, at: Timestamp(seconds: 1))
            committed["\(firing.path.map { Quoting.path($0) } ?? "") \(number)", default: 0] += 1
          }
          inFlight = [:]
        default:
          rules = engine([rule], memory: disk)
          inFlight = [:]
          for (path, number) in present { rules.sawFile(path, version(number), isArrival: true) }
        }
      }
      for firing in rules.takeFirings() { inFlight[firing] = present[try #require(firing.path)] }
      for (firing, number) in inFlight {
        committed["\(firing.path.map { Quoting.path($0) } ?? "") \(number)", default: 0] += 1
      }
      #expect(committed.values.allSatisfy { $0 == 1 })
      for (path, number) in present {
        #expect(committed["\(Quoting.path(path)) \(number)"] == 1, "\(path) \(number)")
      }
    }
  }

  /// Found by the index or not, a path fits as each pattern says by itself.
  @Test func `a thousand rules are asked as each alone would be`() throws {
    var generator = SplitMix.fresh("patterns")
    let words = ["a", "b.json", "*.json", "*", "_SUCCESS", "**", "x?", "[ab].csv", "part-*.csv"]
    func word() -> String { words[Int(generator.next() % UInt64(words.count))] }
    var patterns: [RulePattern] = []
    while patterns.count < 1000 {
      let depth = 1 + generator.next() % 3
      let text = (0..<depth).map { _ in word() }.joined(separator: "/")
      if let pattern = RulePattern(text) { patterns.append(pattern) }
    }
    let names = ["a", "b.json", "c.json", "_SUCCESS", "xy", "a.csv", "part-1.csv", ".json", "é"]
    let rules = engine(
      patterns.enumerated().map { Rule(name: "\($0)", conditions: [.marker($1)]) })
    for _ in 0..<500 {
      let depth = 1 + generator.next() % 4
      let path = try key(
        (0..<depth).map { _ in names[Int(generator.next() % UInt64(names.count))] }
          .joined(separator: "/"))
      #expect(
        rules.fits(path, isDirectory: false)
          == patterns.contains { $0.matches(path, isDirectory: false) }, "\(path)")
    }
    // Each alone, as `fits` stops at the first.
    for pattern in patterns.prefix(200) {
      let one = engine([Rule(name: "one", conditions: [.marker(pattern)])])
      for name in names {
        let path = try key("a/\(name)")
        #expect(
          one.fits(path, isDirectory: false) == pattern.matches(path, isDirectory: false),
          "\(pattern.text) \(name)")
      }
    }
  }
}
