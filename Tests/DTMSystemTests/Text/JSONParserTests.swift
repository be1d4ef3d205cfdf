import DTMSystem
import DTMTestSupport
import Testing

@Suite struct JSONParserTests {
  private func parse(_ text: String) throws(JSONSyntaxError) -> JSONNode {
    try JSONNode(parsing: Array(text.utf8))
  }

  private func failure(_ bytes: [UInt8]) -> JSONSyntaxError? {
    do throws(JSONSyntaxError) {
      _ = try JSONNode(parsing: bytes)
      return nil
    } catch {
      return error
    }
  }

  @Test func `values and their places are what the document says`() throws {
    let node = try parse("{\n  \"a\": [1, -2.5e3, \"x\\u00e9\\ud83d\\ude00\"],\n\t\"bä\": null }\n")
    #expect(node.line == 1 && node.column == 1)
    let array = try #require(node["a"])
    #expect(array.line == 2 && array.column == 8)
    #expect(array.array?[0].int == 1)
    #expect(array.array?[1].int == nil)
    #expect(array.array?[1].double == -2500)
    #expect(array.array?[2].string == "xé😀")
    #expect(array.array?[2].column == 20)
    let members = try #require(node.members)
    #expect(members[1].line == 3 && members[1].column == 2)
    // Columns are bytes: ä has two.
    #expect(members[1].node.column == 9)
    #expect(members[1].node.isNull)
    #expect(node["absent"] == nil)
    #expect(node.int == nil && node.string == nil && node.bool == nil && node.array == nil)
  }

  static let wrong: [(text: String, line: Int, column: Int, message: String)] = [
    ("", 1, 1, "the document is empty"),
    ("  \n ", 2, 2, "the document is empty"),
    ("{\"a\": 1,}", 1, 9, "a comma may not stand before }"),
    ("[1,]", 1, 4, "a comma may not stand before ]"),
    ("[1 2]", 1, 4, "a comma or ] is expected here"),
    ("{\"a\" 1}", 1, 6, "a colon is expected here"),
    ("{\"a\": 1 \"b\": 2}", 1, 9, "a comma or } is expected here"),
    ("{a: 1}", 1, 2, "a key in double quotes is expected here"),
    ("{'a': 1}", 1, 2, "a key in double quotes is expected here"),
    ("{\"a\": 1,\n \"b\": 2,\n \"a\": 3}", 3, 2, "the key \"a\" is there twice"),
    ("{\"\\u0061\": 1, \"a\": 3}", 1, 15, "the key \"a\" is there twice"),
    ("[01]", 1, 3, "a number has no leading zeros"),
    ("[-]", 1, 3, "a digit is expected here"),
    ("[1.]", 1, 4, "a digit is expected after the decimal point"),
    ("[1e]", 1, 4, "a digit is expected in the exponent"),
    ("[0x10]", 1, 3, "this can't stand in a number"),
    ("[+1]", 1, 2, "a value is expected here"),
    ("[.5]", 1, 2, "a value is expected here"),
    ("[NaN]", 1, 2, "a value is expected here"),
    ("// x\n1", 1, 1, "a value is expected here; JSON has no comments"),
    (
      "[nul]", 1, 2,
      "a value is expected here (true, false and null are written in small letters)"
    ),
    (
      "[truer]", 1, 2,
      "a value is expected here (true, false and null are written in small letters)"
    ),
    ("1 2", 1, 3, "something follows the end of the document"),
    ("\"a\nb\"", 1, 3, "a string ends on its line (write \\n for a line break)"),
    ("\"a\tb\"", 1, 3, "a control character in a string is written as \\u00XX"),
    ("\"a\\x\"", 1, 3, "there is no such escape sequence"),
    ("\"\\u12g4\"", 1, 6, "four hexadecimal digits are expected after \\u"),
    ("\"\\ud83d\"", 1, 2, "half a surrogate pair is no character"),
    ("\"\\ud83d\\u0041\"", 1, 2, "half a surrogate pair is no character"),
    ("\"\\ude00\"", 1, 2, "half a surrogate pair is no character"),
    ("\"\\ud83dx\"", 1, 2, "half a surrogate pair is no character"),
    ("\"abc", 1, 5, "the document ends where the closing quote of a string is expected"),
    ("{\"a\"", 1, 5, "the document ends where a colon is expected"),
    ("[1,\n", 2, 1, "the document ends where a value is expected"),
    ("\u{feff}1", 1, 1, "a byte order mark is not JSON"),
  ]

  @Test(arguments: wrong) func `an error tells what is wrong and where`(
    _ example: (text: String, line: Int, column: Int, message: String)
  ) {
    #expect(
      failure(Array(example.text.utf8))
        == JSONSyntaxError(
          message: example.message, line: example.line, column: example.column))
  }

  @Test(
    arguments: [
      [0x80], [0xc0, 0x80], [0xe2, 0x82], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0xff],
    ] as [[UInt8]]) func `a byte that is not UTF-8 is an error at its place`(_ bad: [UInt8])
  {
    let error = failure(Array("[1,\n \"ab".utf8) + bad + Array("\"]".utf8))
    #expect(error?.line == 2 && error?.column == 5)
    #expect(error?.message.hasSuffix("is not UTF-8") == true)
  }

  @Test func `an earlier error is told before a byte that is not UTF-8`() {
    #expect(failure(Array("[1 2, \"".utf8) + [0xff])?.column == 4)
    #expect(failure(Array("1 ".utf8) + [0xff])?.message == "the byte ff is not UTF-8")
  }

  @Test func `keys that only look alike differ`() throws {
    let node = try parse("{\"\\u00e9\": 1, \"e\\u0301\": 2}")
    #expect(node["\u{e9}"]?.int == 1)
    #expect(node["e\u{301}"]?.int == 2)
  }

  @Test func `a duplicate among many keys is found`() throws {
    for count in [2, 11, 12, 13, 14, 60] {
      var text = "{"
      for place in 0..<count { text += "\"k\(place)\": 0, " }
      _ = try parse(text + "\"last\": 0}")
      for twice in 0..<count {
        let error = failure(Array((text + "\"k\(twice)\": 0}").utf8))
        #expect(error?.message == "the key \"k\(twice)\" is there twice")
      }
    }
  }

  @Test func `nesting is bounded`() throws {
    let deepest = JSONNode.maximumDepth
    _ = try parse(
      String(repeating: "[", count: deepest) + String(repeating: "]", count: deepest))
    let tooDeep = failure(Array(repeating: UInt8(ascii: "["), count: deepest + 1))
    #expect(tooDeep?.column == deepest + 1)
    #expect(tooDeep?.message == "arrays and objects are nested more than 64 deep")
    // A hostile document costs no stack.
    let hostile = failure(Array(repeating: UInt8(ascii: "["), count: 1_000_000))
    #expect(hostile?.column == deepest + 1)
    var objects: [UInt8] = []
    for _ in 0..<100 { objects += "{\"a\":".utf8 }
    #expect(failure(objects)?.message == tooDeep?.message)
  }

  @Test func `numbers keep their text and convert only where nothing is lost`() throws {
    let node = try parse("[9223372036854775807, 9223372036854775808, 1.0, 1e999, -0, 0.1]")
    let numbers = try #require(node.array)
    #expect(numbers[0].int == .max)
    #expect(numbers[1].int == nil && numbers[1].double == 9_223_372_036_854_775_808)
    #expect(numbers[2].int == nil && numbers[2].double == 1)
    #expect(numbers[3].double == nil)
    #expect(numbers[4].int == 0)
    #expect(numbers[5].double == 0.1)
    var writer = JSONWriter()
    writer.raw(node)
    #expect(
      String(decoding: writer.bytes, as: UTF8.self)
        == "[9223372036854775807,9223372036854775808,1.0,1e999,-0,0.1]")
  }

  @Test func `random documents in random spellings read as what was written`() throws {
    var documents = RandomJSON(random: .fresh("random documents"))
    for _ in 0..<3000 {
      let node = documents.node()
      let parsed = try JSONNode(parsing: documents.spelling(of: node))
      #expect(isSame(parsed, node))
      for pretty in [false, true] {
        var writer = JSONWriter(pretty: pretty)
        writer.raw(node)
        #expect(isSame(try JSONNode(parsing: writer.bytes), node))
      }
    }
  }

  @Test func `every truncation of a document is an error with a place in it`() {
    var documents = RandomJSON(random: .fresh("truncations"))
    for _ in 0..<100 {
      let node = documents.container()
      var bytes = documents.spelling(of: node)
      while let last = bytes.last, last <= UInt8(ascii: " ") { bytes.removeLast() }
      for length in 0..<bytes.count {
        let prefix = Array(bytes[..<length])
        guard let error = failure(prefix) else {
          Issue.record("a prefix of \(length) bytes passed; seed \(documents.random.seed)")
          return
        }
        #expect(Self.isPlace(error, in: prefix))
      }
    }
  }

  @Test func `a mutated document never crashes and an error has a place in it`() {
    var documents = RandomJSON(random: .fresh("mutations"))
    for _ in 0..<5000 {
      let node = documents.container()
      let bytes = documents.mutated(documents.spelling(of: node))
      if let error = failure(bytes) { #expect(Self.isPlace(error, in: bytes)) }
    }
  }

  /// Whether the place is a byte of the document or its end.
  private static func isPlace(_ error: JSONSyntaxError, in bytes: [UInt8]) -> Bool {
    let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
    guard (1...lines.count).contains(error.line) else { return false }
    return (1...(lines[error.line - 1].count + 1)).contains(error.column)
  }
}
