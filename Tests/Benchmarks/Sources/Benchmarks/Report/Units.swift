import Glibc

/// Numbers with three significant digits, bytes in MB.
enum Units {
  /// The median, and in brackets the least and the most where they differ.
  static func text(_ spread: Spread, _ unit: Figure.Unit) -> String {
    let (median, least, most) =
      (text(spread.median, unit), text(spread.least, unit), text(spread.most, unit))
    return least == most ? median : "\(median) (\(least) … \(most))"
  }

  static func text(_ value: Double, _ unit: Figure.Unit) -> String {
    switch unit {
    case .seconds: number(value)
    case .bytes: number(value / 1e6) + " MB"
    case .count: String(Int(value))
    }
  }

  static func number(_ value: Double) -> String {
    if value == 0 { return "0" }
    // Decimal places for three digits; no more than ten-thousandths.
    let places = max(0, min(4, 2 - Int(log10(abs(value)).rounded(.down))))
    let scale = pow(10, Double(places))
    let scaled = Int((abs(value) * scale).rounded())
    let whole = (value < 0 ? "-" : "") + String(scaled / Int(scale))
    let fraction = String(scaled % Int(scale))
    if places == 0 { return whole }
    return whole + "." + String(repeating: "0", count: places - fraction.count) + fraction
  }
}
