/// Colours for a terminal, or none.
package struct Style: Sendable {
  package let isColoured: Bool

  package init(isColoured: Bool) {
    self.isColoured = isColoured
  }

  static let plain = Style(isColoured: false)

  func identifier(_ text: String) -> String { paint(text, "33") }
  func added(_ text: String) -> String { paint(text, "32") }
  func removed(_ text: String) -> String { paint(text, "31") }
  func modified(_ text: String) -> String { paint(text, "36") }
  func good(_ text: String) -> String { paint(text, "32") }
  func warning(_ text: String) -> String { paint(text, "33") }
  func failure(_ text: String) -> String { paint(text, "1;31") }
  func name(_ text: String) -> String { paint(text, "1") }
  func quiet(_ text: String) -> String { paint(text, "2") }
  func directory(_ text: String) -> String { paint(text, "1;34") }
  func link(_ text: String) -> String { paint(text, "36") }

  /// Select Graphic Rendition (ECMA-48), ended by a reset.
  private func paint(_ text: String, _ code: String) -> String {
    isColoured && !text.isEmpty ? "\u{1B}[\(code)m\(text)\u{1B}[0m" : text
  }
}
