import DTMRules
import DTMTestSupport
import Testing

@Suite struct `The kind of a content` {
  private static func random(_ count: Int, _ random: inout SplitMix) -> [UInt8] {
    (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
  }

  private static func csv(_ count: Int, _ random: inout SplitMix) -> [UInt8] {
    var text = "id,amount,city\n"
    while text.utf8.count < count {
      text += "\(random.below(100_000)),\(random.below(10_000)).\(random.below(100)),Zürich\n"
    }
    return Array(text.utf8.prefix(count))
  }

  @Test func `tells random bytes of any length from text and numbers`() {
    var generator = SplitMix.fresh("content kinds")
    for length in [64, 65, 100, 300, 1000, 1024, 2000, 4096] {
      var noise = 0
      for _ in 0..<50 {
        if ContentKind(Self.random(length, &generator)) == .noise { noise += 1 }
        #expect(ContentKind(Self.csv(length, &generator)) != .noise)
        let numbers = (0..<(length / 4)).flatMap { _ -> [UInt8] in
          let bits = Float.random(in: 0..<1, using: &generator).bitPattern
          return [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: bits >> $0) }
        }
        // They may begin as a known format does.
        if length >= 1024 { #expect([.other, .packed].contains(ContentKind(numbers))) }
      }
      // Random bytes may begin as a known format does, or be taken for numbers by chance.
      #expect(noise >= 48, "\(length): \(noise)")
    }
  }

  @Test func `is that of what it begins as`() {
    var generator = SplitMix(seed: 7)
    let noise = Self.random(4000, &generator)
    for head in ["PAR1", "PK\u{3}\u{4}", "SQLite format 3", "BZh9", "%PDF-1.7"] {
      #expect(ContentKind(Array(head.utf8) + noise) == .packed, "\(head)")
    }
    #expect(ContentKind([0x1F, 0x8B, 8] + noise) == .packed)
    #expect(ContentKind([0, 0, 0, 24] + Array("ftypmp42".utf8) + noise) == .packed)
    #expect(ContentKind([UInt8](repeating: 0, count: 4096)) == .blank)
    #expect(ContentKind(Array("a".utf8)) == .blank)
    #expect(ContentKind(Array("\u{1B}[31mred\u{1B}[0m\r\n\tgrün".utf8)) == .text)
    #expect(ContentKind([1, 2, 3, 0, 0, 0]) == .other)
  }

  @Test func `turns into something, or stays`() {
    typealias Case = (old: ContentKind, new: ContentKind, turn: ContentKind.Turn)
    let cases: [Case] = [
      (.text, .text, .alike), (.text, .noise, .noise), (.packed, .noise, .noise),
      (.other, .noise, .noise), (.noise, .noise, .alike), (.text, .blank, .blanked),
      (.blank, .blank, .alike), (.blank, .text, .alike), (.blank, .other, .alike),
      (.text, .packed, .unlike), (.packed, .text, .unlike), (.other, .packed, .alike),
      (.noise, .packed, .alike), (.noise, .other, .alike), (.text, .other, .unlike),
    ]
    for item in cases {
      #expect(item.new.turn(from: item.old) == item.turn, "\(item)")
    }
  }
}
