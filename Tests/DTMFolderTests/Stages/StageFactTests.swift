import DTMFolder
import DTMTestSupport
import Testing

@Suite struct `The fact of a stage` {
  private static let fact = StageFact(
    StageKey(pipeline: "nightly", run: "2026-11-24 é", stage: "clean", attempt: 12), .failed,
    holder: "boot:1:2")

  @Test(arguments: StageEvent.allCases)
  func `reads back as it was written`(_ event: StageEvent) {
    var fact = Self.fact
    fact.event = event
    #expect(StageFact(decoding: fact.encoded) == fact)
    fact.holder = nil
    fact.key.stage = ""
    fact.key.pipeline = ""
    #expect(StageFact(decoding: fact.encoded) == fact)
  }

  @Test func `is none when it is cut anywhere`() {
    let bytes = Self.fact.encoded
    for length in 0..<bytes.count {
      #expect(StageFact(decoding: Array(bytes[..<length])) == nil, "\(length)")
    }
  }

  @Test func `of a newer program is read as far as it is known`() {
    #expect(StageFact(decoding: Self.fact.encoded + Array("more".utf8) + [0]) == Self.fact)
  }

  @Test func `is none of an attempt, an event or a run that can't be`() {
    for text in [
      "begin\0000\0s\0r\0\0\0", "begin\0-1\0s\0r\0\0\0", "begin\0x\0s\0r\0\0\0",
      "other\01\0s\0r\0\0\0", "begin\01\0s\0\0\0\0",
    ] {
      #expect(StageFact(decoding: Array(text.utf8)) == nil, "\(text)")
    }
  }

  @Test func `becomes labels, the outcome only at an end`() {
    #expect(
      Self.fact.labels == [
        "pipeline": "nightly", "run_id": "2026-11-24 é", "stage": "clean", "attempt": "12",
        "outcome": "failed",
      ])
    let begin = StageFact(StageKey(run: "7", stage: "", attempt: 1), .begin)
    #expect(begin.labels == ["run_id": "7"])
  }
}
