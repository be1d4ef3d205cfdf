/// The results as Markdown: one table, a line a contender.
struct Table {
  static let head = """
    | workload | program | CPU s | wall s | peak memory | written | besides | goal |
    | --- | --- | --- | --- | --- | --- | --- | --- |
    """

  /// What stands in columns of its own.
  private static let columns: [Figure] = [.cpu, .wall, .peakMemory, .written]

  /// The lines of one workload; contenders without figures are left out.
  static func lines(_ workload: Workload, _ results: [Result]) -> [String] {
    let shown = results.filter { result in result.runs.contains { !$0.figures.isEmpty } }
    return shown.enumerated().map { number, result in
      let besides = Figure.allCases.filter { !columns.contains($0) }.compactMap { figure in
        result.spread(figure).map { "\(figure.rawValue) \(Units.text($0, figure.unit))" }
      }
      let goals = workload.goals.filter { $0.contender == result.name }.compactMap { goal in
        verdict(goal, result, among: results)
      }
      let cells =
        [number == 0 ? "\(workload.title) (`\(workload.name)`)" : "", result.name]
        + columns.map { figure in
          result.spread(figure).map { Units.text($0, figure.unit) } ?? "–"
        } + [besides.joined(separator: ", "), goals.joined(separator: "; ")]
      return "| " + cells.joined(separator: " | ") + " |"
    }
  }

  private static func verdict(_ goal: Goal, _ result: Result, among all: [Result]) -> String? {
    guard let reached = result.spread(goal.figure)?.median else { return nil }
    let others = [goal.times, goal.plus].compactMap { $0 }
    let base = others.first.flatMap { name in
      all.first { $0.name == name }?.spread(goal.figure)?.median
    }
    if !others.isEmpty && base == nil { return nil }
    let limit = goal.times != nil ? goal.most * (base ?? 0) : goal.most + (base ?? 0)
    let words =
      if let name = goal.times { "\(Units.number(goal.most)) × \(name)" } else {
        Units.text(goal.most, goal.figure.unit) + (goal.plus.map { " + \($0)" } ?? "")
      }
    return "\(goal.figure.rawValue) ≤ \(words): \(reached <= limit ? "met" : "**missed**")"
  }
}
