import DTMCommands
import DTMTestSupport
import Testing

@Suite struct `A bisection` {
  @Test func `finds the first bad one in few tries, whatever is skipped`() throws {
    var generator = SplitMix.fresh("bisection")
    for _ in 0..<2000 {
      let count = 1 + Int(generator.next() % 60)
      let firstBad = Int(generator.next() % UInt64(count))
      let skips = generator.next() % 3
      var search = Bisection(count: count)
      var skipped: Set<Int> = []
      var tries = 0
      while let next = search.next {
        tries += 1
        try #require(tries <= count)
        if skips > 0, generator.next() % 4 < skips {
          skipped.insert(next)
          search.learn(.skipped, at: next)
        } else {
          search.learn(next >= firstBad ? .bad : .good, at: next)
        }
      }
      let suspects = search.suspects
      #expect(suspects.contains(firstBad))
      // All but one of them could not be told.
      #expect(suspects.dropLast().allSatisfy(skipped.contains))
      #expect(search.lastGood.map { $0 < firstBad } ?? true)
      if skipped.isEmpty {
        #expect(suspects == [firstBad])
        #expect((1 << max(0, tries - 1)) < max(2, count))
        #expect(search.lastGood.map { $0 + 1 } ?? 0 == firstBad)
      }
    }
  }
}
