import Glibc
import Testing

/// The programs under test.
enum Programs {
  /// From `DTM_PROGRAMS`; nil, said once in the form that test.sh looks for, when it is not set.
  static let folder: String? = {
    guard let path = environment("DTM_PROGRAMS"), !path.isEmpty else {
      print("SKIPPED: EndToEndTests: DTM_PROGRAMS does not name the folder of dtm and dtmd")
      return nil
    }
    return path
  }()

  /// The units, the catalog and the scripts of this checkout.
  static let packaging: String? = {
    let path = #filePath.split(separator: "/").dropLast(4).joined(separator: "/")
    return Files.exists("/\(path)/packaging") ? "/\(path)/packaging" : nil
  }()

  /// Whether the long forms were asked for.
  static let isLong = environment("DTM_TEST_LONG") == "1"

  private static func environment(_ name: String) -> String? {
    guard let value = unsafe getenv(name) else { return nil }
    return unsafe String(cString: value)
  }
}

extension Trait where Self == ConditionTrait {
  /// The test runs the real programs.
  static var needsPrograms: Self {
    .enabled(if: Programs.folder != nil, "DTM_PROGRAMS is not set")
  }

  /// The test boots a systemd of its own.
  static var needsMachine: Self {
    .enabled(if: Machine.obstacle == nil, "\(Machine.obstacle ?? "")")
  }
}
