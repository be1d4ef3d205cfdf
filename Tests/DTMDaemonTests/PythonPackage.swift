import DTMSystem
import Testing

/// A Python package from PyPI, in a virtual environment beside the build.
enum PythonPackage {
  /// The interpreter that has the client of Varlink; nil where pip can't get it.
  static let varlink = interpreter(with: "varlink", "31.0.0")
  /// The interpreter that has Prometheus' own parsers; nil where pip can't get them.
  static let prometheus = interpreter(with: "prometheus_client", "0.25.0")

  private static func interpreter(with package: String, _ version: String) -> String? {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false)
      .prefix { $0 != "Tests" }.joined(separator: "/")
    let directory = "\(root)/.build/\(package)-venv"
    let interpreter = directory + "/bin/python3"
    let script = """
      "\(interpreter)" -c 'import \(package)' 2>/dev/null && exit 0
      python3 -m venv "\(directory)" &&
        "\(interpreter)" -m pip install -q \(package)==\(version)
      "\(interpreter)" -c 'import \(package)'
      """
    let status = try? Command.status(["/bin/sh", "-c", script + " >/dev/null 2>&1"])
    return status == 0 ? interpreter : nil
  }
}
