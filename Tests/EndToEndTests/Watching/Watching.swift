import DTMSystem
import Glibc
import Testing

extension Workspace {
  /// Makes the repository of the data folder, outside of it.
  func initialise() throws {
    try good("init", "--repository", path("repository"), "--no-first-snapshot")
  }

  /// Everything beneath a directory, extended attributes too: two equal texts are two equal trees.
  func oracle(_ directory: String) throws -> String {
    let attributes = try shell(
      """
      cd '\(directory)'
      find . -mindepth 1 -name .dtm -prune -o ! -type l -print0 | LC_ALL=C sort -z |
        xargs -0r getfattr -d -m '^user' 2>/dev/null || true
      """)
    return try Files.listing(directory) + attributes
  }

  /// Whether a snapshot, restored elsewhere, is the data folder as it is now; says what differs.
  func differences(from snapshot: String = "HEAD") throws -> String {
    let out = path("oracle")
    defer { _ = try? shellOutcome("rm -rf '\(out)'") }
    try good("restore", snapshot, "--to", out)
    let restored = try oracle(out).split(separator: "\n")
    let present = try oracle(lake).split(separator: "\n")
    if restored == present { return "" }
    let kept = Set(restored)
    let wanted = Set(present)
    return
      (present.filter { !kept.contains($0) }.map { "- in the folder: \($0)" }
      + restored.filter { !wanted.contains($0) }.map { "+ in the snapshot: \($0)" })
      .prefix(40).joined(separator: "\n")
  }

  /// Waits until everything is captured, and holds it against the folder.
  func expectCaptured(_ daemon: Daemon, _ comment: String = "") throws {
    let waited = try dtm("wait", "--timeout", "60s")
    try #require(waited.status == 0, "\(comment) \(waited.errorText)\(daemon.log)")
    let difference = try differences()
    #expect(difference == "", "\(comment)")
    #expect(try daemon.folder()["missedChanges"]?.int == 0)
  }
}
