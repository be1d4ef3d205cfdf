import DTMRules
import DTMSystem
import DTMTestSupport
import Testing

@Suite struct `The balance of a guard` {
  private func key(_ path: String) throws -> PathKey { try #require(PathKey(path)) }

  /// Files that are gone, and new ones.
  private func missing(
    lost: [(String, Int)], added: [(String, Int)] = [], changed: [String] = [],
    excused: [String] = [], trust: Double = 1
  ) throws -> Int {
    var balance = GuardBalance()
    for (path, bytes) in lost { balance.lost(try key(path), bytes: bytes) }
    for (path, bytes) in added { balance.added(try key(path), bytes: bytes) }
    for path in changed { balance.changed(try key(path), grownBy: 0) }
    for path in excused { balance.excuse(beneath: try key(path)) }
    return balance.missing(trust: trust)
  }

  private func files(
    _ count: Int, in directory: String, suffix: String = "csv", bytes: Int = 100
  ) -> [(String, Int)] {
    (0..<count).map { ("\(directory)/\($0).\(suffix)", bytes) }
  }

  @Test func `what is removed is missing`() throws {
    #expect(try missing(lost: files(10, in: "a") + files(5, in: "b/c")) == 15)
    #expect(try missing(lost: []) == 0)
    #expect(try missing(lost: [("top", 1)]) == 1)
  }

  @Test func `what is written into a directory takes the place of what is lost of it`() throws {
    let lost = files(10, in: "a/b")
    #expect(try missing(lost: lost, added: files(10, in: "a/b", suffix: "new")) == 0)
    #expect(try missing(lost: lost, added: files(4, in: "a/b", suffix: "new", bytes: 1)) == 6)
    #expect(try missing(lost: lost, changed: (0..<10).map { "a/b/x\($0)" }) == 0)
    // Compacted: few files, as many bytes.
    #expect(try missing(lost: lost, added: [("a/b/all.parquet", 1000)]) == 0)
    #expect(try missing(lost: lost, added: [("a/b/half.parquet", 500)]) == 5)
    // Bytes in another directory say nothing.
    #expect(try missing(lost: lost, added: [("c/all.parquet", 1000)]) == 10)
  }

  @Test func `a directory that is renamed, or written beside, takes the place of another`() throws {
    let lost = files(10, in: "t/p=1")
    #expect(try missing(lost: lost, added: files(10, in: "t/p=2")) == 0)
    #expect(try missing(lost: lost, added: files(10, in: "t/p=2", suffix: "txt")) == 10)
    #expect(try missing(lost: lost, added: files(10, in: "u/p=2")) == 10)
  }

  @Test func `new files that are noise take nobody's place`() throws {
    let lost = files(10, in: "a")
    let locked = files(10, in: "a", suffix: "locked")
    #expect(try missing(lost: lost, added: locked, trust: 0) == 10)
    #expect(try missing(lost: lost, added: locked, trust: 0.5) == 5)
  }

  @Test func `what is removed on purpose is not missing`() throws {
    #expect(try missing(lost: files(10, in: "t/p"), excused: ["t"]) == 0)
    #expect(try missing(lost: files(10, in: "t/p"), excused: ["t/q"]) == 10)
    #expect(try missing(lost: files(10, in: "t/p"), excused: [""]) == 0)
  }

  @Test func `never more is missing than is lost, and no file takes the place of two of no bytes`()
    throws
  {
    var random = SplitMix.fresh("balance")
    for _ in 0..<300 {
      var balance = GuardBalance()
      let lost = random.below(30)
      func path(_ random: inout SplitMix) throws -> PathKey {
        let directories = ["", "a/", "a/b/", "a/c/", "d/"]
        let suffixes = ["", ".csv", ".x"]
        return try key(
          directories[random.below(5)] + "\(random.below(1000))" + suffixes[random.below(3)])
      }
      for _ in 0..<lost { balance.lost(try path(&random), bytes: 0) }
      #expect(balance.missing() == lost && balance.lostFiles == lost)
      for written in 1...20 {
        if random.oneIn(4) {
          balance.changed(try path(&random), grownBy: random.below(1000) - 500)
        } else {
          balance.added(try path(&random), bytes: random.below(1000))
        }
        let now = balance.missing()
        #expect(now <= lost && now >= max(0, lost - written), "seed \(random.seed)")
        #expect(balance.missing(trust: 0) == lost)
      }
      balance.excuse(beneath: .root)
      #expect(balance.missing() == 0)
    }
  }
}
