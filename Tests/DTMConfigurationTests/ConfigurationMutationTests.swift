import DTMConfiguration
import DTMRules
import DTMTestSupport
import SystemPackage
import Testing

/// Damaged configurations: a value or an error with a place, never a crash.
@Suite struct ConfigurationMutationTests {
  private static let valid = Array(
    """
    {
      "$schema": "dtmd.schema.json",
      "daemon": { "socket": "/run/dtm/dtmd.sock", "logLevel": "info" },
      "defaults": { "settle": { "quiet": "2s" }, "ignore": ["*.tmp"] },
      "folders": [
        { "name": "lake", "path": "/srv/data/lake", "repository": "/var/lib/dtm/lake",
          "ignore": ["scratch/", "ä"],
          "settle": { "quiet": "2s", "atMost": "5m", "minInterval": "10s", "openFiles": "wait" } },
        { "path": "/srv/reports" }
      ]
    }
    """.utf8)

  private static let tokens = [
    "{", "}", "[", "]", ",", ":", "\"", "null", "true", "-1", "1e999", "\"\"", "\"/\"", "\"..\"",
    "\"path\": \"/srv\",", "\"name\": \"lake\",", "\"9999999999999999999d\"", "\\u0000", "\u{0}",
    "\"settle\": {},", "\"x\": 1,", "/", "\\", "\n", "\"ignore\": [[]],", "0ms",
  ].map { Array($0.utf8) }

  @Test func `a mutated file is a configuration or an error with a place`() {
    var random = SplitMix.fresh("mutated configurations")
    var accepted = 0
    for _ in 0..<20_000 {
      var bytes = Self.valid
      for _ in 0...random.below(4) {
        let place = random.below(bytes.count)
        switch random.below(6) {
        case 0: bytes[place] = UInt8(random.below(256))
        case 1: bytes.insert(contentsOf: Self.tokens[random.below(Self.tokens.count)], at: place)
        case 2: bytes.removeSubrange(place..<min(bytes.count, place + 1 + random.below(12)))
        case 3: bytes.swapAt(place, random.below(bytes.count))
        case 4:
          let start = random.below(bytes.count)
          bytes.insert(contentsOf: Array(bytes[start..<min(bytes.count, start + 40)]), at: place)
        default: bytes[place] ^= 1 << UInt8(random.below(8))
        }
      }
      if Self.check(bytes, random.seed) { accepted += 1 }
    }
    // Mutations inside names and patterns leave it valid; most others do not.
    #expect(accepted > 500 && accepted < 15_000, "\(accepted)")
  }

  @Test func `every truncation and every flipped bit is survived`() {
    for length in 0..<Self.valid.count {
      #expect(!Self.check(Array(Self.valid[..<length]), 0), "\(length) bytes")
    }
    for place in Self.valid.indices {
      for bit in 0..<8 {
        var bytes = Self.valid
        bytes[place] ^= 1 << UInt8(bit)
        _ = Self.check(bytes, 0)
      }
    }
  }

  /// Whether it is a configuration; else each error has a place in the text.
  private static func check(_ bytes: [UInt8], _ seed: UInt64) -> Bool {
    do throws(ConfigurationErrors) {
      let configuration = try Configuration.parse(bytes, file: "/f")
      for folder in configuration.folders {
        #expect(folder.settle.atMost >= folder.settle.quiet)
        #expect(folder.settle.atMost >= folder.settle.minInterval)
        #expect(folder.path.isAbsolute && FolderName.fault(of: folder.name) == nil)
      }
      return true
    } catch {
      let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      for item in error.errors {
        guard let line = item.line, let column = item.column, (1...lines.count).contains(line),
          (1...(lines[line - 1].count + 1)).contains(column)
        else {
          Issue.record("no place in \(item); seed \(seed)")
          return false
        }
      }
      return false
    }
  }
}
