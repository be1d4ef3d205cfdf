import DTMSystem
import Glibc
import Testing

/// A long file that differs in one row: unchanged ranges share their blocks with the present file.
@Suite(.needsPrograms, .serialized) struct `A changed row of a long table` {
  private static let limit = 1 << 20

  /// What the device of a directory has written so far, in bytes.
  private func written(_ work: Workspace, _ path: String) throws -> Int {
    let text = try work.shell(
      """
      sync -f '\(path)'
      cat /sys/block/$(basename $(findmnt -no SOURCE -T '\(path)'))/stat
      """)
    // The seventh number is of sectors; a loop device that was used before goes on counting.
    let numbers = text.split(separator: " ")
    return try #require(Int(numbers[6])) * 512
  }

  @Test(arguments: ["btrfs", "xfs"])
  func `is restored with a megabyte written at most`(kind: String) throws {
    let work = try Workspace()
    guard
      let disk = try LoopDisk.make(
        work, kind, size: Programs.isLong ? "4G" : "600M", in: work.memory, named: kind,
        for: "A changed row of a long table")
    else { return }
    defer { disk.end() }
    try work.moveLake(to: disk.path + "/lake")
    let rows = Programs.isLong ? 25_000_000 : 3_000_000
    try work.shell(
      "seq \(rows) | awk '{ print $1 \",user\" ($1 * 7919) % 100003 \",\" ($1 * 31) % 997 \",abcdefgh\" }' >'\(work.lake)/t.csv'"
    )
    // The history lies elsewhere: what is written here is the folder's alone.
    try work.good("init", "--repository", work.path("history"))
    let good = try work.shell("sha256sum <'\(work.lake)/t.csv'")
    try work.shell(
      """
      printf 99999999 | dd of='\(work.lake)/t.csv' bs=1 seek=40000000 conv=notrunc status=none
      """)
    let before = try written(work, work.lake)
    let result = try work.good("restore", "t.csv", "--json").json()
    let after = try written(work, work.lake)
    #expect(try work.shell("sha256sum <'\(work.lake)/t.csv'") == good)
    #expect(try #require(result["bytesWritten"]?.int) <= Self.limit)
    #expect(after - before <= Self.limit, "\(kind): \(after - before) bytes")
    print("\(kind): \(after - before) bytes written for one row")
  }
}
