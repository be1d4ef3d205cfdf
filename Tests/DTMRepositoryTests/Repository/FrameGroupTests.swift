import DTMRepository
import DTMTestSupport
import Testing

@Suite struct `What goes into one frame` {
  private func group(_ bytes: [UInt8]) -> FrameGroup { FrameGroup(.data, bytes.span) }

  @Test(arguments: ["", "id,ts\n1,2\n", "tab\tand\r\n\u{0C}", "naïve café — ✓", "\u{7F}"])
  func `is text, whatever its alphabet`(text: String) {
    #expect(group(Array(text.utf8)) == .text)
  }

  @Test(arguments: [0, 8, 14, 31].map(UInt8.init))
  func `is no text with a control character`(byte: UInt8) {
    #expect(group(Array("some text before it".utf8) + [byte]) == .binary)
  }

  @Test func `is numbers, or bytes that nothing is saved of`() {
    var random = SplitMix(seed: 1)
    let noise = (0..<4096).map { _ in UInt8.random(in: 0...255, using: &random) }
    #expect(group(noise) == .dense)
    #expect(group(Array(noise.prefix(511))) == .binary)
    #expect(group(noise.map { $0 & 0x3F }) == .binary)
    #expect(group([UInt8](repeating: 0, count: 4096)) == .binary)
  }

  @Test func `is metadata apart`() {
    #expect(FrameGroup(.metadata, Array("text".utf8).span) == .metadata)
    #expect(FrameGroup.allCases.map(\.pack) == [.metadata, .data, .data, .data])
  }
}
