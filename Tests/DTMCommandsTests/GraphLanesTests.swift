import DTMCommands
import DTMRepository
import DTMTestSupport
import Testing

@Suite struct GraphLanesTests {
  private func id(_ number: Int) -> ObjectID {
    Digest.id(.chunk, Array("snapshot \(number)".utf8))
  }

  /// The drawing of snapshots, each with its parent (0: none), newest first.
  private func draw(_ snapshots: [(Int, Int)]) -> [String] {
    var lanes = GraphLanes()
    var lines: [String] = []
    for (number, parent) in snapshots {
      let (joins, mark) = lanes.add(id(number), parent: parent == 0 ? nil : id(parent))
      lines += joins + ["\(mark) \(number)"]
    }
    return lines
  }

  @Test func `one line of history is one lane`() {
    #expect(draw([(3, 2), (2, 1), (1, 0)]) == ["* 3", "* 2", "* 1"])
  }

  @Test func `two branches meet where they part`() {
    #expect(
      draw([(5, 3), (4, 2), (3, 2), (2, 1), (1, 0)]) == [
        "* 5", "| * 4", "* | 3", "|/", "* 2", "* 1",
      ])
  }

  @Test func `lanes of other branches are crossed and taken again`() {
    #expect(
      draw([(9, 1), (8, 5), (7, 1), (5, 0), (4, 1), (1, 0)]) == [
        "* 9", "| * 8", "| | * 7", "| * | 5", "| * | 4", "|_|/", "|/", "* 1",
      ])
  }

  @Test func `every snapshot is marked once, and no lane is left`() {
    var random = SplitMix.fresh("graphs")
    for _ in 0..<300 {
      let count = 1 + random.below(12)
      let snapshots = (1...count).reversed().map { ($0, random.below($0)) }
      var lanes = GraphLanes()
      for (number, parent) in snapshots {
        let (joins, mark) = lanes.add(id(number), parent: parent == 0 ? nil : id(parent))
        #expect(mark.count { $0 == "*" } == 1)
        #expect(joins.allSatisfy { $0.count { $0 == "/" } == 1 })
      }
      #expect(lanes.passing.isEmpty)
    }
  }
}
