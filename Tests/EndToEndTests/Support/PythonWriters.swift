import Glibc

/// The libraries that pipelines write tables with, from PyPI, in a virtual environment beside the build.
enum PythonWriters {
  /// The interpreter that has them; nil, said once in the form that test.sh looks for, where pip can't
  /// get them.
  static let interpreter: String? = {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false)
      .prefix { $0 != "Tests" }.joined(separator: "/")
    let directory = "\(root)/.build/writers-venv"
    let script = """
      "\(directory)/bin/python3" -c 'import duckdb, pandas, pyarrow, deltalake' 2>/dev/null && exit 0
      /usr/bin/python3 -m venv "\(directory)"
      "\(directory)/bin/pip" install -q --disable-pip-version-check duckdb pandas pyarrow deltalake
      "\(directory)/bin/python3" -c 'import duckdb, pandas, pyarrow, deltalake'
      """
    let environment = ["PATH": "/usr/bin:/bin", "HOME": "/nonexistent"]
    let made = try? ChildProcess(["sh", "-c", script], in: "/", environment: environment)
      .finish(within: .seconds(400))
    if let made, made.status == 0 { return directory + "/bin/python3" }
    print("SKIPPED: DuckDB, pandas, pyarrow and deltalake: not to be had: \(made?.errorText ?? "")")
    return nil
  }()
}
