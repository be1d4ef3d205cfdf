import DTMSystem
import DTMTestSupport

/// Random documents, and random spellings of them.
struct RandomJSON {
  var random: SplitMix

  mutating func node(depth: Int = 0) -> JSONNode {
    let kinds = depth > 5 ? 4 : 6
    switch random.below(kinds) {
    case 0: return JSONNode(value: random.oneIn(2) ? .null : .bool(random.oneIn(2)))
    case 1, 2: return JSONNode(value: .string(text()))
    case 3: return JSONNode(value: .number(number()))
    case 4:
      var nodes: [JSONNode] = []
      for _ in 0..<random.below(6) { nodes.append(node(depth: depth + 1)) }
      return JSONNode(value: .array(nodes))
    default:
      var members: [JSONMember] = []
      for place in 0..<random.below(random.oneIn(20) ? 40 : 6) {
        members.append(JSONMember(key: text() + "#\(place)", node: node(depth: depth + 1)))
      }
      return JSONNode(value: .object(members))
    }
  }

  mutating func container() -> JSONNode {
    while true {
      let node = node()
      if node.array != nil || node.members != nil { return node }
    }
  }

  mutating func text() -> String {
    var result = ""
    for _ in 0..<random.below(12) {
      let code: UInt32
      switch random.below(8) {
      case 0: code = UInt32(random.below(0x20))
      case 1: code = UInt32(random.below(0x800))
      case 2: code = UInt32(random.below(0x10000))
      case 3: code = UInt32(0x10000 + random.below(0x10_0000))
      case 4: code = [0x22, 0x5c, 0x2f, 0x7f, 0x301, 0xfeff, 0xffff, 0x65][random.below(8)]
      default: code = UInt32(0x20 + random.below(0x5f))
      }
      if let scalar = Unicode.Scalar(code) { result.unicodeScalars.append(scalar) }
    }
    return result
  }

  mutating func number() -> String {
    var result = random.oneIn(3) ? "-" : ""
    result += random.oneIn(4) ? "0" : String(1 + random.below(1_000_000))
    if random.oneIn(3) { result += "." + String(random.below(1000)) }
    if random.oneIn(4) {
      result += ["e", "E", "e+", "E-"][random.below(4)] + String(random.below(30))
    }
    return result
  }

  /// One of the many ways to write the document.
  mutating func spelling(of node: JSONNode) -> [UInt8] {
    var bytes: [UInt8] = []
    spell(node, into: &bytes)
    return bytes
  }

  private mutating func spell(_ node: JSONNode, into bytes: inout [UInt8]) {
    space(&bytes)
    switch node.value {
    case .null: bytes += "null".utf8
    case .bool(let flag): bytes += (flag ? "true" : "false").utf8
    case .number(let text): bytes += text.utf8
    case .string(let text): spell(text, into: &bytes)
    case .array(let nodes):
      bytes.append(UInt8(ascii: "["))
      for (place, node) in nodes.enumerated() {
        if place > 0 { bytes.append(UInt8(ascii: ",")) }
        spell(node, into: &bytes)
      }
      if nodes.isEmpty { space(&bytes) }
      bytes.append(UInt8(ascii: "]"))
    case .object(let members):
      bytes.append(UInt8(ascii: "{"))
      for (place, member) in members.enumerated() {
        if place > 0 { bytes.append(UInt8(ascii: ",")) }
        space(&bytes)
        spell(member.key, into: &bytes)
        space(&bytes)
        bytes.append(UInt8(ascii: ":"))
        spell(member.node, into: &bytes)
      }
      if members.isEmpty { space(&bytes) }
      bytes.append(UInt8(ascii: "}"))
    }
    space(&bytes)
  }

  private mutating func spell(_ text: String, into bytes: inout [UInt8]) {
    bytes.append(UInt8(ascii: "\""))
    for scalar in text.unicodeScalars {
      if scalar.value < 0x20 || scalar == "\"" || scalar == "\\" || random.oneIn(6) {
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16, uppercase: random.oneIn(2))
          bytes += ("\\u" + String(repeating: "0", count: 4 - digits.count) + digits).utf8
        }
      } else {
        bytes += String(scalar).utf8
      }
    }
    bytes.append(UInt8(ascii: "\""))
  }

  private mutating func space(_ bytes: inout [UInt8]) {
    while random.oneIn(3) { bytes += [" ", "\n", "\t", "\r\n"][random.below(4)].utf8 }
  }

  /// The bytes with a few of them changed, removed or doubled.
  mutating func mutated(_ bytes: [UInt8]) -> [UInt8] {
    var result = bytes
    for _ in 0...random.below(3) where !result.isEmpty {
      let place = random.below(result.count)
      switch random.below(5) {
      case 0: result.remove(at: place)
      case 1: result[place] = UInt8(random.below(256))
      case 2: result.insert(Array("{}[],:\"\\0-.eE1 \n/".utf8)[random.below(17)], at: place)
      case 3: result.insert(result[random.below(result.count)], at: place)
      default: result.swapAt(place, random.below(result.count))
      }
    }
    return result
  }
}

/// Whether two documents say the same; places do not count.
func isSame(_ left: JSONNode, _ right: JSONNode) -> Bool {
  switch (left.value, right.value) {
  case (.null, .null): true
  case (.bool(let a), .bool(let b)): a == b
  case (.number(let a), .number(let b)): a == b
  case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
  case (.array(let a), .array(let b)):
    a.count == b.count && zip(a, b).allSatisfy { isSame($0, $1) }
  case (.object(let a), .object(let b)):
    a.count == b.count
      && zip(a, b).allSatisfy {
        $0.key.utf8.elementsEqual($1.key.utf8) && isSame($0.node, $1.node)
      }
  default: false
  }
}
