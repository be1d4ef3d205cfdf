internal import DTMSystem
internal import SystemPackage

/// What this process takes of the machine, as /proc tells it; what it does not tell is nil.
struct ProcessUsage {
  /// `USER_HZ`, in which /proc counts time, is 100 on every architecture that Swift runs on.
  private static let ticksInSecond = 100.0

  let residentBytes: Int?
  let cpuSeconds: Double?
  let openDescriptors: Int?

  static var current: ProcessUsage {
    ProcessUsage(
      residentBytes: resident(in: text("status")), cpuSeconds: cpu(in: text("stat")),
      openDescriptors: descriptors)
  }

  /// `VmRSS:     12345 kB`.
  static func resident(in status: String) -> Int? {
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") }
    let words = line?.split { $0 == " " || $0 == "\t" } ?? []
    return words.count > 1 ? Int(words[1]).map { $0 * 1024 } : nil
  }

  /// Fields 14 and 15 (proc(5)), counted behind the name, which may hold blanks and brackets.
  static func cpu(in stat: String) -> Double? {
    guard let end = stat.lastIndex(of: ")") else { return nil }
    let fields = stat[end...].split(separator: " ")
    guard fields.count > 13, let user = Double(fields[12]), let system = Double(fields[13]) else {
      return nil
    }
    return (user + system) / ticksInSecond
  }

  private static func text(_ name: String) -> String {
    do throws(Errno) {
      let path = FilePath("/proc/self").appending(name)
      return String(decoding: try Descriptor.open(path, .readOnly).readStream(), as: UTF8.self)
    } catch {
      return ""
    }
  }

  private static var descriptors: Int? {
    do throws(Errno) {
      let directory = try Descriptor.open("/proc/self/fd", [.readOnly, .directory])
      // The one that reads them is among them.
      return try DirectoryListing(reading: directory).count - 1
    } catch {
      return nil
    }
  }
}
