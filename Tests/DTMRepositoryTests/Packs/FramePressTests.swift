import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

@Suite struct FramePressTests {
  /// A builder of random objects, or of one whose id is another's.
  private func builder(_ random: inout SplitMix, isSound: Bool = true) -> FrameBuilder {
    var builder = FrameBuilder(.data)
    for _ in 0...random.below(20) {
      let bytes = (0..<random.below(20_000)).map { _ in UInt8(random.below(4)) }
      let id = Digest.id(.chunk, bytes.span)
      builder.append(.chunk, id, bytes.span)
      if !isSound { builder.append(.chunk, id, (bytes + [1]).span) }
    }
    return builder
  }

  @Test(arguments: [0, 1, 2, 5]) func `gives frames back in the order in which they came`(
    threads: Int
  ) throws {
    var random = SplitMix.fresh("press of \(threads)")
    let zstd = try Zstd()
    let press = FramePress(level: 3, threads: threads)
    var expected: [[UInt8]] = []
    var found: [[UInt8]] = []
    for _ in 0..<60 {
      var builder = builder(&random)
      press.submit(builder, zstd)
      expected.append(try builder.finish(zstd, level: 3).bytes)
      while press.count > random.below(6) { found.append(try #require(try press.next()).bytes) }
    }
    while let frame = try press.next() { found.append(frame.bytes) }
    #expect(found == expected)
    #expect(press.count == 0)
  }

  @Test func `gives a frame that can't be packed back as its error, in its place`() throws {
    var random = SplitMix.fresh("press with a fault")
    let zstd = try Zstd()
    let press = FramePress(level: 3, threads: 2)
    for index in 0..<5 { press.submit(builder(&random, isSound: index != 3), zstd) }
    for index in 0..<5 {
      if index == 3 {
        #expect(throws: RepositoryError.self) { _ = try press.next() }
      } else {
        #expect(try press.next() != nil)
      }
    }
    #expect(try press.next() == nil)
  }
}
