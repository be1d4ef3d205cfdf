import DTMSystem
import Glibc
import SystemPackage
import Testing

@Suite struct ProcessMemoryTests {
  /// Kibibytes of mapped code that are in memory, by /proc/self/smaps.
  private func residentCode() throws -> Int {
    let text = String(
      decoding: try Descriptor.open("/proc/self/smaps", .readOnly).readToEnd(), as: UTF8.self)
    var isCode = false
    var sum = 0
    for line in text.split(separator: "\n") {
      if line.contains("-") && line.contains(" r-xp ") { isCode = true }
      if isCode && line.hasPrefix("Rss:") {
        sum += Int(line.split(separator: " ")[1]) ?? 0
        isCode = false
      }
    }
    return sum
  }

  @Test func `trimming lets go of code, and everything goes on`() throws {
    let before = try residentCode()
    ProcessMemory.trim()
    #expect(try residentCode() < before)
    #expect((1...1000).map { "\($0)" }.joined().utf8.count == 2893)
  }
}
