internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// What was taken away, or would be, and why the rest stays.
struct PruneResult {
  private let plan: PrunePlan
  private let isDryRun: Bool
  private let operation: UInt64?
  private let verb: String
  private let reason: String

  /// `reason`: why snapshots go.
  init(
    _ plan: PrunePlan, isDryRun: Bool, operation: UInt64?, verb: String = "pruned",
    reason: String = "no rule keeps it"
  ) {
    self.plan = plan
    self.isDryRun = isDryRun
    self.operation = operation
    self.verb = verb
    self.reason = reason
  }

  func writeJSON(_ invocation: Invocation) throws {
    var writer = JSONWriter(pretty: true)
    writer.object { writer in
      write(plan.kept, as: "kept", &writer)
      write(plan.pruned, as: "pruned", &writer)
      // What was taken away is stored still.
      writer.field("freedBytes", 0)
      writer.field("dryRun", isDryRun)
      writer.field("operation", operation)
    }
    writer.endLine()
    try invocation.output.write(writer.bytes)
  }

  private func write(
    _ verdicts: [PrunePlan.Verdict], as name: String, _ writer: inout JSONWriter
  ) {
    writer.array(name) { writer in
      for verdict in verdicts {
        writer.object { writer in
          writer.field("id", verdict.known.id.hex)
          writer.field("reasons", strings: verdict.reasons.isEmpty ? [reason] : verdict.reasons)
        }
      }
    }
  }

  /// `explains`: a line for every snapshot. `isQuiet`: only the ids of those that go.
  func print(_ invocation: Invocation, explains: Bool, isQuiet: Bool) throws {
    let output = invocation.output
    if isQuiet {
      for verdict in plan.pruned { try output.line(verdict.known.id.hex) }
      return
    }
    if explains { try printVerdicts(invocation) }
    let all = plan.kept.count + plan.pruned.count
    if plan.pruned.isEmpty {
      let stay = plan.kept.isEmpty ? "" : ": all \(Words.grouped(all)) stay"
      return try output.line("nothing to take away\(stay)")
    }
    let count = Words.count(plan.pruned.count, "snapshot")
    let rest = plan.kept.isEmpty ? "" : ", \(Words.grouped(plan.kept.count)) stay"
    try output.line(
      isDryRun
        ? "would take away \(count)\(rest); nothing was changed"
        : "\(verb) \(count)\(rest); dtm undo brings \(plan.pruned.count == 1 ? "it" : "them") back")
  }

  private func printVerdicts(_ invocation: Invocation) throws {
    let style = invocation.style
    let now = invocation.time.now()
    var table = Table([.left, .left, .left, .flexible], terminalWidth: invocation.width)
    let verdicts = (plan.kept + plan.pruned).sorted { left, right in
      (right.known.snapshot.time, right.known.id) < (left.known.snapshot.time, left.known.id)
    }
    for verdict in verdicts {
      let (known, reasons) = (verdict.known, verdict.reasons)
      table.append([
        Table.Cell(Words.short(known.id), style.identifier),
        Table.Cell(invocation.calendar.brief(known.snapshot.time, now: now)),
        reasons.isEmpty ? Table.Cell("goes", style.warning) : Table.Cell("stays", style.quiet),
        Table.Cell(reasons.isEmpty ? reason : reasons.joined(separator: ", ")),
      ])
    }
    for line in table.lines() { try invocation.output.line(line) }
  }
}
