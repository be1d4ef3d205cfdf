import DTMRules
import DTMSystem
import Testing

@Suite struct `Templates` {
  @Test(arguments: [
    ("{path}", "lake/orders/_delta_log/0001.json"), ("{name}", "0001.json"), ("{stem}", "0001"),
    ("{dir}", "lake/orders/_delta_log"), ("{dir.name}", "_delta_log"),
    ("{dir.dir.name}", "orders"), ("{dir.dir.dir.dir}", ""), ("{dir.dir.dir.dir.dir.name}", ""),
    ("{rule}/{folder} {time}", "delta/f 2026-01-01T00:00:00Z"), ("a{{b}}", "a{b}"), ("", ""),
    ("v-{stem}-x", "v-0001-x"), ("{dir.stem}", "_delta_log"),
  ])
  func `are filled`(_ text: String, _ wanted: String) throws {
    let values = RuleTemplate.Values(
      path: PathKey("lake/orders/_delta_log/0001.json"), rule: "delta",
      time: "2026-01-01T00:00:00Z", folder: "f")
    #expect(try RuleTemplate(text).filled(values) == wanted)
  }

  @Test func `show what is no text, and have no stem of a hidden name`() throws {
    let values = RuleTemplate.Values(
      path: PathKey(bytes: [0x64, 0, 0x2E, 0xFF]), rule: "", time: "", folder: "")
    #expect(try RuleTemplate("{stem}").filled(values) == #".\xff"#)
    #expect(try RuleTemplate("{dir.name}").filled(values) == "d")
  }

  @Test(arguments: [
    ("{", RuleTemplate.Fault.unbalanced), ("}", .unbalanced), ("a{b", .unbalanced),
    ("{nam}", .unknown("nam")), ("{}", .unknown("")), ("{dir.path}", .unknown("dir.path")),
    ("{name.dir}", .unknown("name.dir")), ("{dir.}", .unknown("dir.")),
  ])
  func `that can't be filled are refused`(_ text: String, _ fault: RuleTemplate.Fault) {
    #expect(throws: fault) { try RuleTemplate(text) }
  }

  @Test func `know whether they are about a path`() throws {
    #expect(try RuleTemplate("{dir.name}").needsPath)
    #expect(try !RuleTemplate("{rule} {time}").needsPath)
  }
}

@Suite struct `The memory of rules` {
  @Test func `is read as it was written, and nothing else is`() {
    let marks: [UInt64] = [0, 1, .max, 0x0102_0304_0506_0708]
    let bytes = RuleMemory.encoded(marks)
    #expect(bytes.count == 32)
    #expect(RuleMemory.decoded(bytes) == marks)
    #expect(Array(bytes.suffix(8)) == [1, 2, 3, 4, 5, 6, 7, 8])
    for length in 0..<bytes.count {
      let decoded = RuleMemory.decoded(Array(bytes[..<length]))
      #expect((decoded == nil) == (length % 8 != 0))
    }
  }

  @Test func `tells parts apart however they are cut`() {
    func mark(_ texts: String...) -> UInt64 { RuleMemory.mark(texts.map { Array($0.utf8) }) }
    #expect(mark("ab", "c") != mark("a", "bc"))
    #expect(mark("a") != mark("a", ""))
    #expect(Set((0..<10_000).map { mark("rule", "\($0)") }).count == 10_000)
  }
}
