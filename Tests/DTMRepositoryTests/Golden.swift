import DTMRepository
import DTMSystem
import SystemPackage
import Testing

/// Values that an independent implementation (Tests/Compatibility/fixture.py) computed from the format
/// page.
struct Golden {
  let document: JSONNode

  init() throws {
    let file = #filePath
    let path = FilePath(file).removingLastComponent().removingLastComponent()
      .appending("Compatibility/golden.json")
    document = try JSONNode(parsing: try Descriptor.open(path, .readOnly).readToEnd())
  }

  subscript(_ keys: String...) -> JSONNode {
    get throws { try node(keys) }
  }

  private func node(_ keys: [String]) throws -> JSONNode {
    var node = document
    for key in keys { node = try #require(node[key], "golden.json lacks \(key)") }
    return node
  }

  func bytes(_ keys: String...) throws -> [UInt8] {
    let node = try node(keys)
    let text = try #require(node.string)
    return try #require(Hex.bytes(text))
  }

  func id(_ keys: String...) throws -> ObjectID {
    let node = try node(keys)
    let text = try #require(node.string)
    return try #require(ObjectID(hex: text))
  }
}

/// xorshift64*, as fixture.py has it.
struct XorShift {
  var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state ^= state >> 12
    state ^= state << 25
    state ^= state >> 27
    return state &* 0x2545_F491_4F6C_DD1D
  }

  mutating func bytes(_ count: Int) -> [UInt8] {
    var result: [UInt8] = []
    while result.count < count {
      var word = next()
      for _ in 0..<8 {
        result.append(UInt8(truncatingIfNeeded: word))
        word >>= 8
      }
    }
    return Array(result.prefix(count))
  }
}
