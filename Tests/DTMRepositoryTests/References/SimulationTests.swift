import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

@Suite struct SimulationTests {
  /// A root with a durable directory `d` and nothing pending.
  private func disk() throws -> SimulatedFileOperations {
    let files = SimulatedFileOperations()
    try files.makeDirectory("d", mode: 0o700)
    try files.synchronizeDirectory("")
    return files
  }

  /// The states after a crash, as sets of paths with their bytes (without `d/`).
  private func states(_ files: SimulatedFileOperations) -> Set<[String: [UInt8]]> {
    var generator = SplitMix(seed: 1)
    let states = files.crashStates(limit: 1000, using: &generator).map { $0.paths() }
    #expect(Set(states).count == states.count)
    return Set(
      states.map { state in
        #expect(state["d/"] != nil)
        return state.filter { $0.key != "d/" }
      })
  }

  private let ones = [UInt8](repeating: 1, count: 300)
  private let twos = [UInt8](repeating: 2, count: 300)

  private func durableFile(
    _ name: String, _ bytes: [UInt8], in files: SimulatedFileOperations
  ) throws {
    let file = try files.create(name, mode: 0o600)
    try file.write(bytes, at: 0)
    try file.synchronizeData()
    try files.synchronizeDirectory("d")
  }

  @Test func `what was synchronised is there in the only state`() throws {
    let files = try disk()
    try durableFile("d/x", ones, in: files)
    #expect(states(files) == [["d/x": ones]])
  }

  @Test func `a written file may be absent, empty, zeros or whole`() throws {
    let files = try disk()
    try files.create("d/x", mode: 0o600).write(ones, at: 0)
    let zeros = [UInt8](repeating: 0, count: 300)
    #expect(states(files) == [[:], ["d/x": []], ["d/x": zeros], ["d/x": ones]])
  }

  @Test func `sectors come to the disk one by one`() throws {
    let files = try disk()
    let file = try files.create("d/x", mode: 0o600)
    try files.synchronizeDirectory("d")
    try file.write([UInt8](repeating: 1, count: 600), at: 0)
    let one = [UInt8](repeating: 1, count: 512)
    let zero = [UInt8](repeating: 0, count: 512)
    let rest = [one[..<88], zero[..<88]]
    var expected: Set<[String: [UInt8]]> = [["d/x": []], ["d/x": one], ["d/x": zero]]
    for first in [one, zero] { for second in rest { expected.insert(["d/x": first + second]) } }
    #expect(states(files) == expected)
  }

  @Test func `a sector holds what any of the writes left in it`() throws {
    let files = try disk()
    try durableFile("d/x", ones, in: files)
    let file = try files.open("d/x", writable: true)
    try file.write([7], at: 0)
    try file.write([8], at: 1)
    let rest = ones[2...]
    #expect(
      states(files) == [
        ["d/x": ones], ["d/x": [7, 1] + rest], ["d/x": [7, 8] + rest],
      ])
  }

  @Test func `a rename over another file happens whole or not at all, or leaves both names`()
    throws
  {
    let files = try disk()
    try durableFile("d/x", ones, in: files)
    try durableFile("d/t", twos, in: files)
    try files.rename("d/t", to: "d/x")
    #expect(
      states(files) == [
        ["d/x": ones, "d/t": twos], ["d/x": twos, "d/t": twos], ["d/x": twos],
      ])
    try files.synchronizeDirectory("d")
    #expect(states(files) == [["d/x": twos]])
  }

  @Test func `a file renamed before it was synchronised may be anything`() throws {
    let files = try disk()
    try durableFile("d/x", ones, in: files)
    try files.create("d/t", mode: 0o600).write(twos, at: 0)
    try files.rename("d/t", to: "d/x")
    try files.synchronizeDirectory("d")
    let zeros = [UInt8](repeating: 0, count: 300)
    #expect(states(files) == [["d/x": []], ["d/x": zeros], ["d/x": twos]])
  }

  @Test func `a rename between directories never loses the file`() throws {
    for directory in ["d", "e"] {
      let files = try disk()
      try files.makeDirectory("e", mode: 0o700)
      try files.synchronizeDirectory("")
      try durableFile("d/x", ones, in: files)
      try files.rename("d/x", to: "e/y")
      let both: [String: [UInt8]] = ["e/": [], "d/x": ones, "e/y": ones]
      let new: [String: [UInt8]] = ["e/": [], "e/y": ones]
      #expect(states(files) == [["e/": [], "d/x": ones], both, new])
      try files.synchronizeDirectory(directory)
      #expect(states(files) == (directory == "d" ? [new] : [both, new]))
    }
  }

  @Test func `a mode binds its owner, and a change of it may be lost`() throws {
    let files = try disk()
    try durableFile("d/x", ones, in: files)
    try files.open("d/x", writable: true).setMode(0o444)
    #expect(throws: Errno.permissionDenied) { try files.open("d/x", writable: true) }
    var generator = SplitMix(seed: 1)
    let outcomes = (0..<20).map { _ in
      files.crashStates(limit: 10, using: &generator)
        .map { (try? $0.open("d/x", writable: true)) != nil }
    }
    #expect(Set(outcomes) == [[true], [false]])
  }

  @Test func `after a failed synchronisation some systems read the old bytes again`() throws {
    let files = try disk()
    try durableFile("d/x", ones, in: files)
    files.revertFailedFlushes()
    let file = try files.open("d/x", writable: true)
    try file.write(twos, at: 0)
    files.fail(operation: files.journal.count + 1, with: .ioError)
    #expect(throws: Errno.ioError) { try file.synchronizeData() }
    #expect(files.paths()["d/x"] == ones)
    #expect(states(files) == [["d/x": ones], ["d/x": twos]])
    try file.write([7], at: 300)
    try file.synchronizeData()
    #expect(states(files) == [["d/x": ones + [7]]])
  }

  @Test func `an unlinked file may still be there`() throws {
    let files = try disk()
    try durableFile("d/x", ones, in: files)
    try files.remove("d/x")
    #expect(states(files) == [["d/x": ones], [:]])
    try files.synchronizeDirectory("d")
    #expect(states(files) == [[:]])
  }

  @Test func `a file without a name vanishes until it is linked and its directory synchronised`()
    throws
  {
    let files = try disk()
    let file = try files.createUnnamed(in: "d", mode: 0o600)
    try file.write(ones, at: 0)
    try file.synchronizeData()
    #expect(states(files) == [[:]])
    try files.link(file, as: "d/x")
    #expect(states(files) == [[:], ["d/x": ones]])
    try files.synchronizeDirectory("d")
    #expect(states(files) == [["d/x": ones]])
  }

  @Test func `a directory that is not durable takes what is in it along`() throws {
    let files = try disk()
    try files.makeDirectory("d/e", mode: 0o700)
    let file = try files.create("d/e/x", mode: 0o600)
    try file.synchronizeData()
    try files.synchronizeDirectory("d/e")
    #expect(states(files) == [[:], ["d/e/": [], "d/e/x": []]])
  }

  @Test func `a truncated file may have its old length`() throws {
    let files = try disk()
    try durableFile("d/x", ones, in: files)
    let file = try files.open("d/x", writable: true)
    try file.truncate(to: 100)
    let cut = Array(ones[..<100])
    let zeroed = cut + [UInt8](repeating: 0, count: 200)
    #expect(states(files) == [["d/x": ones], ["d/x": cut], ["d/x": zeroed]])
    try file.synchronizeData()
    #expect(states(files) == [["d/x": cut]])
  }

  @Test func `after a failed synchronisation a later one does not help`() throws {
    let files = try disk()
    let file = try files.create("d/x", mode: 0o600)
    try files.synchronizeDirectory("d")
    try file.write(ones, at: 0)
    files.fail(operation: files.journal.count + 1, with: .ioError)
    #expect(throws: Errno.ioError) { try file.synchronizeData() }
    try file.synchronizeData()
    #expect(states(files).count == 3)
    // Only writing it again does.
    try file.write(ones, at: 0)
    try file.synchronizeData()
    #expect(states(files) == [["d/x": ones]])
  }

  @Test func `a failing write leaves half of its bytes`() throws {
    let files = try disk()
    let file = try files.create("d/x", mode: 0o600)
    files.fail(operation: files.journal.count + 1, with: .noSpace)
    #expect(throws: Errno.noSpace) { try file.write(ones, at: 0) }
    #expect(files.paths()["d/x"] == Array(ones[..<150]))
  }

  @Test func `nothing happens after the stop, and the killed keeps what was written`() throws {
    let files = try disk()
    try durableFile("d/x", ones, in: files)
    let file = try files.open("d/x", writable: true)
    try file.write([9], at: 0)
    files.stop(after: files.journal.count)
    #expect(throws: Errno.ioError) { try file.write([8], at: 0) }
    #expect(throws: Errno.ioError) { try file.synchronizeData() }
    #expect(files.afterKill().paths()["d/x"]?.first == 9)
    #expect(states(files).count == 2)
    #expect(states(files.afterKill()).count == 2)
  }

  @Test func `an ignored synchronisation makes nothing durable`() throws {
    let files = try disk()
    files.ignore(.synchronizeData, number: 1)
    try durableFile("d/x", ones, in: files)
    #expect(states(files).count == 3)
    files.ignore(.synchronizeDirectory, number: 3)
    try durableFile("d/y", [], in: files)
    #expect(states(files).count == 6)
  }

  @Test func `locks conflict between open files and end with them`() throws {
    let files = try disk()
    _ = try files.create("d/l", mode: 0o600)
    let first = try files.open("d/l", writable: true)
    var second: (any OpenFile)? = try files.open("d/l", writable: true)
    #expect(try second?.lock(.shared, wait: false) == true)
    #expect(try first.lock(.shared, wait: false))
    #expect(try first.lock(.exclusive, wait: false) == false)
    #expect(try first.lockHolder() == 0)
    second = nil
    #expect(try first.lock(.exclusive, wait: false))
    #expect(try first.lockHolder() == nil)
    #expect(try files.open("d/l", writable: true).lock(.shared, wait: false) == false)
    #expect(try files.afterKill().open("d/l", writable: true).lock(.exclusive, wait: false))
  }

  @Test func `a waiting lock is had when the holder goes`() throws {
    let files = try disk()
    _ = try files.create("d/l", mode: 0o600)
    let holder = try files.open("d/l", writable: true)
    _ = try holder.lock(.exclusive, wait: true)
    let taken = Monitor(false)
    let thread = try DedicatedThread(named: "waiter") {
      let got = (try? files.open("d/l", writable: true).lock(.exclusive, wait: true)) ?? false
      taken.update { $0 = got }
    }
    _ = try holder.lock(.none, wait: false)
    thread.join()
    #expect(taken.withLock { $0 })
  }

  @Test func `many pending changes are sampled with both extremes`() throws {
    let files = try disk()
    let file = try files.create("d/x", mode: 0o600)
    let bytes = [UInt8](repeating: 5, count: 20_000)
    try file.write(bytes, at: 0)
    var generator = SplitMix.fresh("sampled crash states")
    let states = files.crashStates(limit: 200, using: &generator).map { $0.paths() }
    #expect((150...200).contains(states.count))
    #expect(states.contains { $0["d/x"] == nil })
    #expect(states.contains { $0["d/x"] == bytes })
  }
}

/// Both implementations of the seam do the same as long as nothing crashes.
@Suite struct FileOperationsAgreementTests {
  @Test func `the simulation answers as the kernel does`() throws {
    var generator = SplitMix.fresh("seam agreement")
    try withTemporaryDirectory { path in
      let kernel = try SystemFileOperations(path: path)
      let simulation = SimulatedFileOperations()
      for directory in ["d", "e"] {
        try kernel.makeDirectory(directory, mode: 0o700)
        try simulation.makeDirectory(directory, mode: 0o700)
      }
      for step in 0..<3000 {
        let call = Call(using: &generator)
        let expected = call.outcome(on: kernel)
        #expect(call.outcome(on: simulation) == expected, "step \(step): \(call)")
      }
    }
  }

  /// A random call with random arguments.
  private struct Call {
    let kind: Int
    let name: String
    let other: String
    let offset: Int
    let bytes: [UInt8]

    init(using generator: inout SplitMix) {
      let names = ["d/a", "d/b", "e/a", "e/c", "f", "d", "none/x"]
      kind = generator.below(9)
      // No directories are renamed: the repository renames files only.
      let count = kind == 4 ? 5 : names.count
      name = names[generator.below(count)]
      other = names[generator.below(count)]
      offset = generator.below(700)
      bytes = (0..<generator.below(600)).map { _ in UInt8(generator.below(256)) }
    }

    func outcome(on files: any FileOperations) -> String {
      do {
        switch kind {
        case 0: try files.create(name, mode: 0o600).write(bytes, at: 0)
        case 1: try files.open(name, writable: true).write(bytes, at: offset)
        case 2:
          let file = try files.open(name, writable: false)
          return "\(try file.size()) \(try file.read(at: offset, count: 300))"
        case 3: try files.open(name, writable: true).truncate(to: offset)
        case 4: try files.rename(name, to: other)
        case 5: try files.remove(name)
        case 6:
          let file = try files.createUnnamed(in: "d", mode: 0o600)
          try file.write(bytes, at: 0)
          try files.link(file, as: name)
          return "\(try file.identity().links)"
        case 7: return "\(try files.list("d").sorted()) \(try files.list("e").sorted())"
        default:
          let file = try files.open(name, writable: true)
          try file.synchronizeData()
          try files.synchronizeDirectory("d")
          return "\(try file.identity().links)"
        }
        return "done"
      } catch {
        return "\(error)"
      }
    }
  }
}
