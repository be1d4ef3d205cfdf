import Glibc

/// A directory for all that a run makes.
struct Scratch {
  let path: String

  /// Makes it beneath TMPDIR.
  init() throws {
    let parent = getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp"
    guard parent.hasPrefix("/") else { throw Failure("TMPDIR is no absolute path: \(parent)") }
    var template = Array("\(parent)/dtm-benchmarks.XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SystemFailure("mkdtemp", parent) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Removes all of it, after an interruption too.
  func remove() {
    Interruption.disregard()
    _ = try? Command("rm", "-rf", path).run()
    unlink(Child.errorFile)
  }
}
