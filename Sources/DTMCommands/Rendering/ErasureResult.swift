internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// What was erased, or would be, and what proves that it is gone.
struct ErasureResult {
  private let history: HistoryRewriting.Outcome
  private let invocation: Invocation

  /// Paths that are told by name.
  private static let shownPaths = 20

  init(_ history: HistoryRewriting.Outcome, _ invocation: Invocation) {
    self.history = history
    self.invocation = invocation
  }

  // MARK: - Before

  func printPlan(isQuiet: Bool) throws {
    let output = invocation.output
    if isQuiet {
      for path in history.paths { try output.line(Quoting.path(path)) }
      return
    }
    if history.paths.isEmpty { return try output.line("no snapshot holds such a path") }
    for path in history.paths.prefix(Self.shownPaths) { try output.line("  \(Quoting.path(path))") }
    if history.paths.count > Self.shownPaths {
      try output.line("  and \(Words.grouped(history.paths.count - Self.shownPaths)) more")
    }
    try output.line("would erase \(what); nothing was changed")
  }

  func writePlanJSON() throws {
    var writer = JSONWriter(pretty: true)
    writer.object { writer in
      writeHistory(&writer)
      writer.field("dryRun", true)
    }
    writer.endLine()
    try invocation.output.write(writer.bytes)
  }

  private var what: String {
    let paths = Words.count(history.paths.count, "path")
    return "\(paths) from \(Words.count(history.snapshots, "snapshot"))"
  }

  private func writeHistory(_ writer: inout JSONWriter) {
    writer.field("paths", paths: history.paths)
    writer.field("snapshots", history.snapshots)
  }

  // MARK: - After

  func print(_ erasure: Erasure, isQuiet: Bool) throws {
    let output = invocation.output
    for file in erasure.setAside {
      invocation.remark("\(file) was set aside by a repair and may hold it; delete it")
    }
    if erasure.collection.waitingBytes > 0 {
      invocation.remark(
        "a process that began to write before keeps "
          + "\(HumanUnits.bytes(erasure.collection.waitingBytes)) from being freed; "
          + "run the same command again when it has ended")
    }
    if isQuiet { return }
    if history.paths.isEmpty {
      return try output.line("no snapshot holds such a path")
    }
    let freed = HumanUnits.bytes(max(0, erasure.collection.freedBytes))
    let ids = Words.count(
      history.rewritten.count, "snapshot has a new id", "snapshots have new ids")
    try output.line("erased \(what): \(ids); freed \(freed)")
    try output.line(proof(erasure))
  }

  private func proof(_ erasure: Erasure) -> String {
    if erasure.collection.waitingBytes > 0 { return "the content is not gone yet" }
    let all = Words.count(objects, "object")
    if erasure.left.isEmpty { return "checked: no pack holds any of their \(all)" }
    let left = Words.grouped(erasure.left.count)
    return "checked: of their \(all) \(left) stay, which other paths or folders have too"
  }

  /// Content, and pages of trees that had it.
  private var objects: Int { history.contents.count + history.pages.count }

  func writeJSON(_ erasure: Erasure) throws {
    var writer = JSONWriter(pretty: true)
    writer.object { writer in
      writeHistory(&writer)
      writer.array("rewritten") { writer in
        for (old, new) in history.rewritten.sorted(by: { $0.key < $1.key }) {
          writer.object { writer in
            writer.field("from", old.hex)
            writer.field("to", new.hex)
          }
        }
      }
      writer.field("freedBytes", erasure.collection.freedBytes)
      writer.field("waitingBytes", erasure.collection.waitingBytes)
      writer.field("objects", objects)
      writer.field("leftObjects", erasure.left.count)
      writer.field("setAside", strings: erasure.setAside)
    }
    writer.endLine()
    try invocation.output.write(writer.bytes)
  }
}
