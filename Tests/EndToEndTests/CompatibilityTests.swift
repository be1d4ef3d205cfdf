import DTMSystem
import Testing

/// The reader in plain Python, written from the format page alone, reads what the programs wrote.
@Suite(.needsPrograms) struct `The Python reader` {
  let work: Workspace

  init() throws {
    work = try Workspace()
    try work.shell(
      """
      cd lake; mkdir -p d/empty many; seq 1 300000 >large.csv; head -c 3000000 /dev/urandom >random
      for i in $(seq 1 400); do echo "row $i" >many/$i; done
      ln -s large.csv link; ln many/1 hard; chmod 600 many/2; touch -d '1969-07-20 20:17:40.5' many/3
      truncate -s 4M sparse; printf x | dd of=sparse bs=1 seek=3000000 conv=notrunc 2>/dev/null
      """)
    try Files.write(Array((work.lake + "/n").utf8) + [0xFF], Array("x".utf8))
    try work.good("init", "--no-first-snapshot")
  }

  /// Runs the reader on the folder's repository.
  private func read(_ arguments: String...) throws -> Outcome {
    let folder = #filePath.split(separator: "/").dropLast(2).map { "/" + $0 }.joined()
    let command = [
      "/usr/bin/python3", "-B", folder + "/Compatibility/reader.py", work.file(".dtm"),
    ]
    return try ChildProcess(command + arguments, in: work.root, environment: work.environment)
      .finish()
  }

  @Test func `restores each snapshot as it was`() throws {
    var states: [(id: String, listing: String)] = []
    for round in 0..<3 {
      try work.write("many/\(round + 10)", "changed \(round)\n")
      if round == 1 { try work.shell("rm -r lake/d; sed -i 777d lake/large.csv") }
      states.append((try work.snapshot().id(), try Files.listing(work.lake)))
    }
    for (number, state) in states.enumerated() {
      let out = work.path("out-\(number)")
      let outcome = try read("restore", state.id, out)
      try #require(outcome.status == 0, "\(outcome.errorText)")
      #expect(try Files.listing(out) == state.listing)
    }
  }

  @Test func `finds the repository sound, and the same snapshots as dtm log`() throws {
    for number in 0..<4 {
      try work.write("many/1", "\(number)\n")
      try work.snapshot("-m", "number \(number)")
    }
    try work.good("tag", "v1")
    try work.good("branch", "side", "HEAD~2")
    let verified = try read("verify")
    #expect(verified.status == 0, "\(verified.text)\(verified.errorText)")
    let lines = try read("log").text.split(separator: "\n")
    let read = try lines.map { try JSONNode(parsing: Array($0.utf8)).id() }
    #expect(try read == work.log().map { try $0.id() })
  }

  @Test func `follows history behind what was collected`() throws {
    var ids: [String] = []
    for number in 0..<7 {
      try work.write("many/1", "\(number)\n")
      ids.append(try work.snapshot().id())
    }
    try work.good("forget", ids[1], ids[2], ids[4])
    try work.good("gc", "--now")
    let verified = try read("verify")
    #expect(verified.status == 0, "\(verified.text)\(verified.errorText)")
    let lines = try read("log").text.split(separator: "\n")
    let read = try lines.map { try JSONNode(parsing: Array($0.utf8)).id() }
    #expect(read == [6, 5, 3, 0].map { ids[$0] })
    #expect(try work.log().map { try $0.id() } == read)
  }
}
