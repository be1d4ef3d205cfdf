import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

@Suite struct QuotingTests {
  @Test(
    arguments: [
      ([0x61, 0x2f, 0x62], "a/b"), ([0x61, 0xff], "a\\xff"),
      ([0x61, 0x0a, 0x09, 0x0d], "a\\n\\t\\r"),
      ([0x5c], "\\\\"), ([0x1b, 0x5b], "\\x1b["), ([0xc3, 0xa4], "ä"), ([0xc3], "\\xc3"),
      ([0xc2, 0x9b], "\\xc2\\x9b"), ([0xe2, 0x80, 0xae, 0x61], "\\xe2\\x80\\xaea"),
      ([0xed, 0xa0, 0x80], "\\xed\\xa0\\x80"), ([0xf0, 0x9f, 0x98, 0x80], "😀"),
      ([0x65, 0xcc, 0x81], "e\u{301}"), ([0x7f], "\\x7f"),
    ] as [([UInt8], String)]) func `bytes are shown so that nothing acts on a terminal`(
      bytes: [UInt8], shown: String
    )
  {
    #expect(Quoting.path(bytes).utf8.elementsEqual(shown.utf8))
  }

  @Test func `a shell takes a word for the bytes that it stands for`() throws {
    var random = SplitMix.fresh("words of a shell")
    var cases = ["/srv/lake", "/a b", "/it's", "/$HOME`x`\"", "/a\\b", "/ä", "/\n\u{1b}'x", "*"].map
    {
      Array($0.utf8)
    }
    // With a combining mark the quote is one character.
    cases += ["a'\u{301};ls", "'\u{65f}", "\n'\u{301}"].map { Array($0.utf8) }
    for _ in 0..<500 {
      cases.append((0...random.below(8)).map { _ in UInt8(1 + random.below(255)) })
    }
    #expect(Quoting.shell(cases[0]) == "/srv/lake" && Quoting.shell(cases[1]) == "'/a b'")
    try withTemporaryDirectory { directory in
      let (script, output) = (directory.appending("script"), directory.appending("output"))
      let words = cases.map(Quoting.shell).joined(separator: " ")
      // In the C locale too: bytes stay what they are.
      try Descriptor.open(script, [.writeOnly, .create], mode: 0o600)
        .write(Array("LC_ALL=C; printf '%s\\0' \(words)".utf8))
      #expect(unsafe system("bash \(script.string) >\(output.string)") == 0)
      let found = try Descriptor.open(output, .readOnly).readToEnd()
        .split(separator: 0, omittingEmptySubsequences: false).dropLast()
      #expect(found.count == cases.count)
      for (bytes, found) in zip(cases, found) {
        #expect(found.elementsEqual(bytes), "\(Quoting.shell(bytes))")
      }
    }
  }

  @Test func `different bytes never look the same`() {
    var random = SplitMix.fresh("quoting")
    for _ in 0..<3000 {
      var bytes: [UInt8] = []
      for _ in 0..<random.below(10) {
        bytes.append(
          random.oneIn(2)
            ? UInt8(random.below(256)) : [0x5c, 0x78, 0x66, 0xc3, 0xa4][random.below(5)])
      }
      #expect(unquoted(Quoting.path(bytes)) == bytes)
    }
  }

  private func unquoted(_ text: String) -> [UInt8] {
    var rest = Array(text.utf8)[...]
    var result: [UInt8] = []
    while let byte = rest.popFirst() {
      if byte != 0x5c {
        result.append(byte)
        continue
      }
      switch rest.popFirst() {
      case UInt8(ascii: "n"): result.append(0x0a)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "r"): result.append(0x0d)
      case UInt8(ascii: "x"):
        let digits = String(decoding: rest.prefix(2), as: UTF8.self)
        result.append(UInt8(digits, radix: 16) ?? 0)
        rest = rest.dropFirst(2)
      default: result.append(0x5c)
      }
    }
    return result
  }

  @Test func `the nearest word is the one that was meant`() {
    let words = ["quiet", "atMost", "minInterval", "openFiles", "name", "path"]
    for (typed, meant) in [
      ("quite", "quiet"), ("atmost", "atMost"), ("at_most", "atMost"), ("interval", "minInterval"),
      ("openfile", "openFiles"), ("nmae", "name"), ("Path", "path"), ("paht", "path"),
    ] {
      #expect(editDistanceNearest(typed, among: words) == meant)
    }
    for strange in ["", "x", "retention", String(repeating: "quiet", count: 1000)] {
      #expect(editDistanceNearest(strange, among: words) == nil)
    }
    #expect(editDistanceNearest("a", among: []) == nil)
  }
}
