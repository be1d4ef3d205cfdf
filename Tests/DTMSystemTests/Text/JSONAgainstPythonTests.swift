import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

/// Our reader and writer against Python's, on the same documents, good and bad.
@Suite struct JSONAgainstPythonTests {
  /// Reads documents of lines of hexadecimal digits; prints `-` for one that is refused, else its
  /// compact form with each number as the string "#…" of its text.
  private static let script = """
    import json, sys
    def pairs(items):
        if len({k for k, _ in items}) != len(items): raise ValueError("duplicate")
        return dict(items)
    def refuse(_): raise ValueError("constant")
    keep = lambda text: "#" + text
    def depth(v):
        children = v.values() if isinstance(v, dict) else v if isinstance(v, list) else None
        return 0 if children is None else 1 + max(map(depth, children), default=0)
    for line in sys.stdin.buffer:
        try:
            text = bytes.fromhex(line.decode()).decode("utf-8")
            value = json.loads(text, object_pairs_hook=pairs, parse_constant=refuse,
                               parse_int=keep, parse_float=keep)
            if depth(value) > 64: raise ValueError("deep")
            out = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
            print(out.hex())
        except ValueError:
            print("-")
    """

  @Test func `we accept, refuse and write exactly what Python does`() throws {
    var documents = RandomJSON(random: .fresh("against Python"))
    var cases: [[UInt8]] = []
    for _ in 0..<4000 {
      let bytes = documents.spelling(of: documents.node())
      cases.append(documents.random.oneIn(3) ? bytes : documents.mutated(bytes))
    }
    let answers = try Self.python(cases)
    try #require(answers.count == cases.count)
    var refused = 0
    for (bytes, theirs) in zip(cases, answers) {
      let ours = Self.answer(to: bytes)
      if ours == "-" { refused += 1 }
      #expect(ours == theirs, "\(Quoting.path(bytes)); seed \(documents.random.seed)")
    }
    #expect(refused > 500 && refused < 3500)
  }

  private static func answer(to bytes: [UInt8]) -> String {
    guard let node = try? JSONNode(parsing: bytes) else { return "-" }
    var writer = JSONWriter()
    writer.raw(marked(node))
    return hex(writer.bytes)
  }

  private static func marked(_ node: JSONNode) -> JSONNode {
    switch node.value {
    case .number(let text): JSONNode(value: .string("#" + text))
    case .array(let nodes): JSONNode(value: .array(nodes.map(marked)))
    case .object(let members):
      JSONNode(
        value: .object(members.map { JSONMember(key: $0.key, node: marked($0.node)) }))
    default: node
    }
  }

  private static func hex(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.flatMap { Array(Quoting.hex($0).utf8) }, as: UTF8.self)
  }

  private static func python(_ cases: [[UInt8]]) throws -> [String] {
    var template = Array("/tmp/dtm-json-XXXXXX\0".utf8).map { CChar(bitPattern: $0) }
    let descriptor = unsafe mkstemp(&template)
    try #require(descriptor >= 0)
    let input = Descriptor(owning: descriptor)
    let name = String(
      decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { unsafe unlink(name) }
    try input.write(Array(cases.map(hex).joined(separator: "\n").utf8) + [UInt8(ascii: "\n")])
    guard let pipe = unsafe popen("python3 -c '\(script)' < \(name)", "r") else {
      throw Errno.current
    }
    var output: [UInt8] = []
    while case let byte = unsafe getc(pipe), byte != EOF { output.append(UInt8(byte)) }
    #expect(unsafe pclose(pipe) == 0)
    return String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init)
  }
}
