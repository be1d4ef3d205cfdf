internal import SystemPackage

/// The environment that the process was started with.
package enum ProcessEnvironment {
  /// The largest environment that is read: Linux allows no larger one by default.
  private static let limitInBytes = 6 << 20

  /// The variables; those that are not UTF-8 are left out. Empty where /proc is not mounted.
  ///
  /// Read from `/proc/self/environ`: unlike `environ`, it can't change while it is read.
  package static var variables: [String: String] {
    var result: [String: String] = [:]
    for entry in entries {
      guard let equals = entry.firstIndex(of: UInt8(ascii: "=")), entry.isValidUTF8 else {
        continue
      }
      let name = String(decoding: entry[..<equals], as: UTF8.self)
      result[name] = String(decoding: entry[(equals + 1)...], as: UTF8.self)
    }
    return result
  }

  /// Variables with some set, or set otherwise: for a program that is started with them.
  package static func entries(
    _ entries: [[UInt8]], setting values: [(name: String, value: [UInt8])]
  ) -> [[UInt8]] {
    let names = values.map { Array("\($0.name)=".utf8) }
    let others = entries.filter { entry in !names.contains { entry.starts(with: $0) } }
    return others + zip(names, values).map { $0 + $1.value }
  }

  /// All variables as they were given, `NAME=value` each: for a program that is to see them untouched.
  package static var entries: [[UInt8]] {
    guard let file = try? Descriptor.open("/proc/self/environ", .readOnly),
      let bytes = try? file.readToEnd(limit: limitInBytes)
    else { return [] }
    return bytes.split(separator: 0).map(Array.init)
  }
}
