import Glibc

/// Text like documents and sources: words of a vocabulary, few of them frequent (Zipf's law).
enum Prose {
  private static let vocabulary: [[UInt8]] = {
    var random = Random(seed: 0x70726F7365)
    let consonants = Array("bcdfglmnprstv".utf8)
    let vowels = Array("aeiou".utf8)
    return (0..<6000).map { _ in
      var word: [UInt8] = []
      for _ in 0..<Int.random(in: 1...4, using: &random) {
        word.append(consonants.randomElement(using: &random) ?? 0x78)
        word.append(vowels.randomElement(using: &random) ?? 0x61)
      }
      return word
    }
  }()

  private static let wordsALine = 12

  static func bytes(_ count: Int, from random: inout Random) -> [UInt8] {
    var text = Text(reserving: count + 16)
    let range = log(Double(vocabulary.count))
    var words = 0
    while text.bytes.count < count {
      // The logarithm of the rank is uniform: rank r has a share of about 1/r.
      text.add(vocabulary[min(Int(exp(random.fraction() * range)), vocabulary.count) - 1])
      words += 1
      if words % wordsALine == 0 { text.add("\n") } else { text.add(" ") }
    }
    return text.prefix(count)
  }
}
