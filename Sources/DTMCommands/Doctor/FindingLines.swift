/// Findings as lines for people.
package struct FindingLines {
  /// `  warning  watches        …`: two of indentation, a severity, a subject.
  private static let severityWidth = 9
  private static let subjectWidth = 15
  private static let usualWidth = 80

  private let style: Style
  private let width: Int
  private let showsGood: Bool

  /// `width`: the terminal's, where there is one. `showsGood`: findings that are as they should be too.
  package init(style: Style, width: Int?, showsGood: Bool) {
    self.style = style
    self.width = max(60, min(width ?? Self.usualWidth, Self.usualWidth))
    self.showsGood = showsGood
  }

  /// A section's name, its findings, and in the end how many are to be mended.
  package func lines(_ sections: [FindingSection]) -> [String] {
    var lines: [String] = []
    for section in sections {
      let findings = section.findings.filter { showsGood || $0.severity != .ok }
      if findings.isEmpty { continue }
      let path = section.path.map { "  \(Words.visible($0))" } ?? ""
      lines.append(style.name(Words.visible(section.name)) + path)
      for finding in findings { lines += self.lines(finding) }
    }
    return lines + [summary(sections)]
  }

  private func lines(_ finding: Finding) -> [String] {
    let word = Self.padded(finding.severity.rawValue, Self.severityWidth)
    let painted =
      switch finding.severity {
      case .ok: style.good(word)
      case .note: style.quiet(word)
      case .warning: style.warning(word)
      case .error: style.failure(word)
      }
    let margin = 2 + Self.severityWidth + Self.subjectWidth
    let text = Self.wrapped(finding.message, width - margin)
    let indent = String(repeating: " ", count: margin)
    var lines = ["  " + painted + Self.padded(finding.subject, Self.subjectWidth) + text[0]]
    lines += text.dropFirst().map { indent + $0 }
    // A line that is to be run stays one line, however long it is.
    for (number, line) in finding.mend.enumerated() {
      let lead = number == 0 ? "    mend:  " : "           "
      lines.append(lead + line)
    }
    return lines
  }

  private func summary(_ sections: [FindingSection]) -> String {
    let count = sections.reduce(0) { sum, section in
      sum + section.findings.count { $0.severity.isToMend }
    }
    return count == 0
      ? style.good("nothing to mend") : style.warning("\(Words.count(count, "thing")) to mend")
  }

  private static func padded(_ word: String, _ width: Int) -> String {
    word + String(repeating: " ", count: max(1, width - word.count))
  }

  /// Broken at blanks; a word that is longer than a line stands alone.
  static func wrapped(_ text: String, _ width: Int) -> [String] {
    var lines: [String] = []
    var line = ""
    for word in text.split(separator: " ", omittingEmptySubsequences: false) {
      let isFirst = line.isEmpty
      let length = DisplayWidth.columns(of: line) + (isFirst ? 0 : 1)
      if !isFirst, length + DisplayWidth.columns(of: String(word)) > width {
        lines.append(line)
        line = String(word)
      } else {
        line += (isFirst ? "" : " ") + word
      }
    }
    return lines + [line]
  }
}
