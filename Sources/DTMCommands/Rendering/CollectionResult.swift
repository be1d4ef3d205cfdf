internal import DTMRepository
internal import DTMSystem

/// What a collection freed, and what it could not free yet.
struct CollectionResult {
  private let report: CollectionReport

  init(_ report: CollectionReport) {
    self.report = report
  }

  func writeJSON(_ invocation: Invocation) throws {
    var writer = JSONWriter(pretty: true)
    writer.object { writer in
      writer.field("freedBytes", report.freedBytes)
      writer.field("waitingBytes", report.waitingBytes)
      writer.field("packBytes", report.packBytes)
      writer.field("snapshots", report.keptSnapshots)
      writer.field("deletedPacks", report.deletedPacks)
      writer.field("rewrittenPacks", report.rewrittenPacks)
      writer.field("remarks", strings: report.remarks)
    }
    writer.endLine()
    try invocation.output.write(writer.bytes)
  }

  func print(_ invocation: Invocation, _ options: OutputOptions) throws {
    for remark in report.remarks { invocation.remark(remark) }
    if options.quiet { return }
    let rest =
      "\(Words.count(report.keptSnapshots, "snapshot")) in \(HumanUnits.bytes(report.packBytes))"
    if report.deletedPacks == 0, report.waitingBytes == 0 {
      try invocation.output.line("nothing to free: \(rest)")
    } else if report.freedBytes > 0 || report.waitingBytes == 0 {
      try invocation.output.line("freed \(HumanUnits.bytes(max(0, report.freedBytes))): \(rest)")
    } else {
      try invocation.output.line("nothing could be freed yet: \(rest)")
    }
    if report.waitingBytes > 0 {
      invocation.remark(
        "\(HumanUnits.bytes(report.waitingBytes)) more wait for a process that began to write before; "
          + "the next dtm gc frees them")
    }
  }
}
