/// How many columns of a terminal a text takes.
package enum DisplayWidth {
  /// Marks that combine with what stands before take none, East Asian wide characters two; the
  /// colours that `Style` adds are not counted.
  package static func columns(of text: String) -> Int {
    if text.utf8.allSatisfy({ $0 >= 0x20 && $0 < 0x7F }) { return text.utf8.count }
    var count = 0
    var isEscape = false
    for scalar in text.unicodeScalars {
      if isEscape {
        isEscape = scalar != "m"
      } else if scalar == "\u{1B}" {
        isEscape = true
      } else {
        count += columns(of: scalar)
      }
    }
    return count
  }

  /// The text cut to so many columns, with `…` at its end where something is cut off.
  ///
  /// For text without colours.
  package static func cut(_ text: String, to columns: Int) -> String {
    if self.columns(of: text) <= columns { return text }
    if columns <= 0 { return "" }
    var result = ""
    var count = 1
    for character in text {
      let width = self.columns(of: String(character))
      if count + width > columns { break }
      count += width
      result.append(character)
    }
    return result + "…"
  }

  private static func columns(of scalar: Unicode.Scalar) -> Int {
    switch scalar.properties.generalCategory {
    case .nonspacingMark, .enclosingMark, .format, .control: return 0
    default: break
    }
    // Unicode Standard Annex 11, the blocks that are wide as a whole.
    switch scalar.value {
    case 0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xAC00...0xD7A3, 0xF900...0xFAFF,
      0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F900...0x1F9FF,
      0x20000...0x3FFFD:
      return 2
    default: return 1
    }
  }
}
