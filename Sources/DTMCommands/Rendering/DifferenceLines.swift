internal import DTMFolder
internal import DTMSystem

/// Differences as lines.
struct DifferenceLines {
  private let style: Style
  private let width: Int?

  init(_ invocation: Invocation) {
    style = invocation.style
    width = invocation.width
  }

  /// A line each, and what they are together.
  func page(_ comparison: Comparison) -> [String] {
    lines(comparison.changes) + [summary(comparison)]
  }

  /// `M  orders.csv  41.0 MiB → 20 KiB`.
  func lines(_ differences: [Differences.Change], indent: Int = 0) -> [String] {
    var table = Table([.left, .flexible, .left], terminalWidth: width)
    for difference in differences {
      table.append([
        Table.Cell(difference.letter) { paint($0, difference) },
        Table.Cell(path(difference)),
        Table.Cell(what(difference), style.quiet),
      ])
    }
    return table.lines(indent: indent)
  }

  /// `1 modified, 2 added`, or that nothing differs.
  func summary(_ comparison: Comparison) -> String {
    let words: [(Differences.Change.Kind, String)] = [
      (.modified, "modified"), (.added, "added"), (.removed, "deleted"), (.renamed, "renamed"),
      (.type, "of another kind"), (.metadata, "in mode, owner or times only"),
    ]
    let parts = words.compactMap { change, word in
      let count = comparison.count(change)
      return count == 0 ? nil : "\(Words.grouped(count)) \(word)"
    }
    return parts.isEmpty ? "nothing differs" : parts.joined(separator: ", ")
  }

  /// What the differences add up to in bytes: `+3.3 MiB −20 KiB`.
  func growth(_ differences: [Differences.Change]) -> String {
    var grown = 0
    var shrunk = 0
    for difference in differences {
      let delta = (difference.newSize ?? 0) - (difference.oldSize ?? 0)
      if delta > 0 { grown += delta } else { shrunk += delta }
    }
    return [grown, shrunk].filter { $0 != 0 }.map { Words.change(inBytes: $0) }
      .joined(separator: " ")
  }

  private func path(_ difference: Differences.Change) -> String {
    let path = Quoting.path(difference.key) + (difference.entryKind == .directory ? "/" : "")
    guard let old = difference.oldKey else { return path }
    return "\(Quoting.path(old)) → \(path)"
  }

  /// Sizes, where they say something.
  private func what(_ difference: Differences.Change) -> String {
    switch difference.kind {
    case .metadata: return "mode, owner or times"
    case .type: return "now a \(difference.entryKind.noun)"
    case .renamed: return ""
    case .added, .removed, .modified: break
    }
    guard difference.entryKind == .file else { return "" }
    switch (difference.oldSize, difference.newSize) {
    case (let old?, let new?):
      return old == new
        ? "\(HumanUnits.bytes(new)), same size"
        : "\(HumanUnits.bytes(old)) → \(HumanUnits.bytes(new))"
    case (nil, let size?), (let size?, nil): return HumanUnits.bytes(size)
    case (nil, nil): return ""
    }
  }

  private func paint(_ text: String, _ difference: Differences.Change) -> String {
    switch difference.kind {
    case .added: style.added(text)
    case .removed: style.removed(text)
    case .modified, .type, .renamed: style.modified(text)
    case .metadata: style.quiet(text)
    }
  }
}

extension Differences.Change {
  /// As `git diff --name-status` has them; `P` for the properties alone.
  var letter: String {
    switch kind {
    case .added: "A"
    case .removed: "D"
    case .modified: "M"
    case .renamed: "R"
    case .type: "T"
    case .metadata: "P"
    }
  }
}
