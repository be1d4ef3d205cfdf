import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// What is done over an overlay reads as if it had been done, and is not.
@Suite struct OverlayFileOperationsTests {
  private static let names = ["a", "b", "d/a", "d/b", "e/c"]

  private func base() throws -> SimulatedFileOperations {
    let files = SimulatedFileOperations()
    for name in ["d", "e"] { try files.makeDirectory(name, mode: 0o700) }
    for (number, name) in Self.names.dropLast().enumerated() {
      try files.plant([UInt8](repeating: UInt8(number), count: 20), at: name)
    }
    return files
  }

  /// Does one operation; the outcome, for comparing.
  private func act(
    _ kind: Int, _ name: String, _ other: String, _ byte: UInt8, _ files: any FileOperations
  ) -> String {
    do throws(Errno) {
      switch kind {
      case 0: try files.open(name, writable: true).write([byte], at: Int(byte % 40))
      case 1: try files.open(name, writable: true).truncate(to: Int(byte % 30))
      case 2: try files.create(name, mode: 0o600).write([byte, byte], at: 0)
      case 3: try files.rename(name, to: other)
      case 4: try files.remove(name)
      case 5:
        let made = try files.createUnnamed(in: "d", mode: 0o600)
        try made.write([byte], at: 0)
        try files.link(made, as: name)
      default: try files.makeDirectory("new", mode: 0o700)
      }
      return "done"
    } catch { return "\(error)" }
  }

  private func contents(_ files: any FileOperations) throws -> [String: [UInt8]] {
    var found: [String: [UInt8]] = [:]
    for directory in ["", "d", "e"] {
      for name in try files.list(directory) {
        let path = directory.isEmpty ? name : "\(directory)/\(name)"
        if ["d", "e", "new"].contains(path) {
          found[path + "/"] = []
        } else {
          let file = try files.open(path, writable: false)
          found[path] = try file.read(at: 0, count: try file.size())
        }
      }
    }
    return found
  }

  @Test func `any operations read back as on real files, which stay as they are`() throws {
    var generator = SplitMix.fresh("overlay")
    for _ in 0..<200 {
      let (real, beneath) = (try base(), try base())
      let before = beneath.paths()
      let overlay = OverlayFileOperations(over: beneath)
      for _ in 0..<20 {
        let kind = generator.below(7)
        let name = Self.names[generator.below(Self.names.count)]
        let other = Self.names[generator.below(Self.names.count)]
        let byte = UInt8(generator.below(256))
        // Renaming a file to itself does nothing.
        if kind == 3 && name == other { continue }
        let expected = act(kind, name, other, byte, real)
        #expect(act(kind, name, other, byte, overlay) == expected, "\(kind) \(name) \(other)")
      }
      #expect(try contents(overlay) == contents(real))
      #expect(beneath.paths() == before)
    }
  }
}
