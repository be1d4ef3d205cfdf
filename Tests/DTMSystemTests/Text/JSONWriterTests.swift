import DTMSystem
import DTMTestSupport
import Testing

@Suite struct JSONWriterTests {
  private func text(pretty: Bool = false, _ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter(pretty: pretty)
    body(&writer)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  private func example(_ writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("a", 1)
      writer.field("none", nil as String?)
      writer.field("flag", true)
      writer.field("big", UInt64.max)
      writer.field("real", 0.012)
      writer.array("list") { writer in
        writer.string("x")
        writer.object { _ in }
        writer.array { _ in }
        writer.object { $0.field("least", Int.min) }
      }
      writer.field("names", strings: ["ä", "\"\\\n\u{1}"])
      writer.key("end")
      writer.null()
    }
  }

  @Test func `the compact form has no space`() {
    #expect(
      text(example)
        == #"{"a":1,"none":null,"flag":true,"big":18446744073709551615,"real":0.012,"#
        + #""list":["x",{},[],{"least":-9223372036854775808}],"#
        + #""names":["ä","\"\\\n\u0001"],"end":null}"#)
  }

  @Test func `the pretty form is indented by two spaces`() {
    #expect(
      text(pretty: true, example) == #"""
        {
          "a": 1,
          "none": null,
          "flag": true,
          "big": 18446744073709551615,
          "real": 0.012,
          "list": [
            "x",
            {},
            [],
            {
              "least": -9223372036854775808
            }
          ],
          "names": [
            "ä",
            "\"\\\n\u0001"
          ],
          "end": null
        }
        """#)
  }

  @Test func `documents follow each other on lines`() {
    let lines = text { writer in
      for number in 1...2 {
        writer.object { $0.field("n", number) }
        writer.endLine()
      }
    }
    #expect(lines == "{\"n\":1}\n{\"n\":2}\n")
  }

  @Test func `a number that is not finite is null`() {
    #expect(
      text { writer in
        writer.array { writer in
          for number in [Double.nan, .infinity, -0.0, 1e300, .leastNonzeroMagnitude, 100] {
            writer.number(number)
          }
        }
      } == "[null,null,-0.0,1e+300,5e-324,100.0]")
  }

  @Test func `a path reads back, whatever its bytes are`() throws {
    var random = SplitMix.fresh("paths in JSON")
    for round in 0..<2000 {
      var key = PathKey.root
      for _ in 0..<random.below(4) {
        var name: [UInt8] = []
        for _ in 0...random.below(8) {
          name.append(UInt8(1 + random.below(round % 2 == 0 ? 126 : 255)))
        }
        key = key.appending(
          name.map { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: ".") ? 65 : $0 })
      }
      var writer = JSONWriter()
      writer.path(key)
      let node = try JSONNode(parsing: writer.bytes)
      #expect(node.pathKey == key)
      #expect((node.string != nil) == key.bytes.isValidUTF8)
    }
    #expect(text { $0.path(PathKey(bytes: Array("a\0b\"ü".utf8))) } == #""a/b\"ü""#)
    #expect(text { $0.path(PathKey(bytes: [0x61, 0, 0xff])) } == #"{"base64":"YS//"}"#)
    #expect(try JSONNode(parsing: Array(#"{"base64":"YS/"}"#.utf8)).pathKey == nil)
    #expect(try JSONNode(parsing: Array(#""a/../b""#.utf8)).pathKey == nil)
  }

  @Test func `base64 is that of RFC 4648`() {
    // The vectors of its section 10.
    let vectors = ["": "", "f": "Zg==", "fo": "Zm8=", "foo": "Zm9v", "foob": "Zm9vYg=="]
    for (plain, coded) in vectors {
      #expect(Base64.encode(Array(plain.utf8)) == Array(coded.utf8))
      #expect(Base64.decode(Array(coded.utf8)) == Array(plain.utf8))
    }
    for bad in ["Zg=", "Zg", "Z===", "Zh==", "Zm9=", "Zm 9", "=Zm9", "Zg==Zg=="] {
      #expect(Base64.decode(Array(bad.utf8)) == nil, "\(bad)")
    }
  }
}
