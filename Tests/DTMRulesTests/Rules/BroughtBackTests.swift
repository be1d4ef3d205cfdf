import DTMRules
import DTMSystem
import Testing

/// What a restore brings back is no boundary.
extension `Rules` {
  @Test func `what is brought back fires nothing, what others write meanwhile does`() throws {
    let rule = Rule(name: "a", conditions: [.marker(try pattern("**/m"))])
    let arrival = Rule(name: "b", conditions: [.movedIn(try pattern("r/*"))])
    let counting = Rule(
      name: "c", conditions: [.directory(try pattern("d/*"), files: 2, matching: try pattern("*"))])
    var rules = engine([rule, arrival, counting])
    rules.ownWritesStart = 1000
    let back = PathVersion(device: 1, inode: 1, born: 1000, modified: 999)
    let unborn = PathVersion(device: 1, inode: 2, born: 0, modified: 999)
    rules.sawFile(try key("x/m"), back, isArrival: true)
    rules.sawFile(try key("y/m"), unborn, isArrival: true)
    rules.sawFile(try key("r/f"), back, isArrival: true)
    rules.sawDirectory(try key("r/d"), back)
    rules.counted(try key("d/1"), back, matching: try pattern("*"), files: 2)
    #expect(rules.takeFirings().isEmpty)
    #expect(rules.silentMarks.count == 5)
    // Written since, and moved here from where somebody wrote it before.
    let written = PathVersion(device: 1, inode: 3, born: 1000, modified: 1000)
    let moved = PathVersion(device: 1, inode: 4, born: 999, modified: 999)
    rules.sawFile(try key("z/m"), written, isArrival: false)
    rules.sawFile(try key("r/g"), moved, isArrival: true)
    #expect(rules.takeFirings().map(\.rule) == [0, 1])
    // Nor later, nor in the next process.
    let marks = rules.silentMarks
    rules.ownWritesStart = nil
    var memory = RuleMemory()
    memory.add(marks, at: Timestamp(seconds: 1))
    var next = engine([rule, arrival, counting], memory: memory)
    for _ in 0..<2 {
      rules.sawFile(try key("x/m"), back, isArrival: true)
      next.sawFile(try key("x/m"), back, isArrival: true)
      next.sawDirectory(try key("r/d"), back)
    }
    #expect(rules.takeFirings().isEmpty && next.takeFirings().isEmpty)
  }

  @Test func `what was brought back while nobody looked fires nothing`() throws {
    var memory = RuleMemory()
    memory.addRestore(from: Timestamp(seconds: 10), to: Timestamp(seconds: 12))
    let rule = Rule(name: "a", conditions: [.marker(try pattern("*"))])
    var rules = engine([rule], memory: memory)
    let second: Int64 = 1_000_000_000
    func saw(_ name: String, born: Int64, modified: Int64) throws {
      let version = PathVersion(device: 1, inode: 1, born: born, modified: modified)
      rules.sawFile(try key(name), version, isArrival: false)
    }
    try saw("back", born: 11 * second, modified: 5 * second)
    // The kernel's clock for files may be a tick late, never early.
    try saw("first", born: 10 * second - 5_000_000, modified: 5 * second)
    try saw("last", born: 12 * second, modified: 5 * second)
    #expect(rules.takeFirings().isEmpty)
    #expect(rules.silentMarks.count == 3)
    // Before it, after it, and written while it was at work.
    try saw("older", born: 9 * second, modified: 5 * second)
    try saw("newer", born: 13 * second, modified: 5 * second)
    try saw("meanwhile", born: 11 * second, modified: 11 * second)
    try saw("unborn", born: 0, modified: 5 * second)
    let fired = try ["older", "newer", "meanwhile", "unborn"].map { try key($0) }
    #expect(rules.takeFirings().map(\.path) == fired)
  }

  @Test func `a marker that waits and is replaced by an older one waits no longer`() throws {
    var rules = engine([
      Rule(name: "a", conditions: [.marker(try pattern("m")), .filesChanged(10)])
    ])
    rules.sawFile(try key("m"), version(2000), isArrival: false)
    rules.ownWritesStart = 3000
    let back = PathVersion(device: 1, inode: 1, born: 3000, modified: 1)
    rules.sawFile(try key("m"), back, isArrival: true)
    rules.changed(files: 10, bytes: 0)
    #expect(rules.takeFirings().isEmpty)
  }
}
