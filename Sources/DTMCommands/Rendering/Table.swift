/// Lines of aligned columns.
package struct Table {
  /// One cell: what is measured, and how it looks.
  package struct Cell {
    let text: String
    let paint: (String) -> String

    package init(_ text: String, _ paint: @escaping (String) -> String = { $0 }) {
      self.text = text
      self.paint = paint
    }
  }

  /// How a column is laid out.
  package enum Column {
    case left
    case right
    /// To the left, and cut where the line would be longer than the terminal is wide.
    case flexible
  }

  private static let gap = 2
  /// A cut column keeps so much.
  private static let leastFlexibleWidth = 8

  private let columns: [Column]
  private let terminalWidth: Int?
  private var rows: [[Cell]] = []

  /// `terminalWidth`: nil where lines may be of any length.
  package init(_ columns: [Column], terminalWidth: Int? = nil) {
    self.columns = columns
    self.terminalWidth = terminalWidth
  }

  var isEmpty: Bool { rows.isEmpty }

  /// Adds a line; cells that are missing at its end are empty.
  package mutating func append(_ cells: [Cell]) {
    rows.append(cells)
  }

  /// The lines, without spaces at their ends. A column that is empty in all of them takes no room.
  package func lines(indent: Int = 0) -> [String] {
    var widths = columns.indices.map { column in
      rows.map { $0.count > column ? DisplayWidth.columns(of: $0[column].text) : 0 }.max() ?? 0
    }
    fit(&widths, indent: indent)
    return rows.map { line($0, widths, indent: indent) }
  }

  /// Takes what is too much from the flexible columns, from the widest one each time.
  private func fit(_ widths: inout [Int], indent: Int) {
    guard let terminalWidth else { return }
    let gaps = max(0, widths.count { $0 > 0 } - 1) * Self.gap
    var excess = indent + widths.reduce(0, +) + gaps - terminalWidth
    let flexible = columns.indices.filter { columns[$0] == .flexible }
    while excess > 0, let widest = flexible.max(by: { widths[$0] < widths[$1] }),
      widths[widest] > Self.leastFlexibleWidth
    {
      widths[widest] -= 1
      excess -= 1
    }
  }

  private func line(_ cells: [Cell], _ widths: [Int], indent: Int) -> String {
    var result = String(repeating: " ", count: indent)
    var pending = 0
    for (column, cell) in cells.enumerated() where widths[column] > 0 {
      let text =
        columns[column] == .flexible
        ? DisplayWidth.cut(cell.text, to: widths[column]) : cell.text
      let space = widths[column] - DisplayWidth.columns(of: text)
      if columns[column] == .right { pending += space }
      if !text.isEmpty {
        result += String(repeating: " ", count: pending) + cell.paint(text)
        pending = 0
      }
      if columns[column] != .right { pending += space }
      // A right-aligned empty cell has its space counted once.
      pending += Self.gap
    }
    return result
  }
}
