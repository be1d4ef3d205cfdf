/// Matches bytes against a glob as git's wildmatch.c does, to the letter.
///
/// `*` and `?` stop at `/` where `isPath`; `**` between slashes crosses them; `[…]` with ranges,
/// `!` or `^`, escapes and `[:class:]`. What git's code makes of malformed globs is kept as well.
/// The time is bounded by the product of the two lengths: results are remembered once a match
/// takes many tries.
struct Wildcard {
  private enum Outcome: UInt8 {
    case match
    case noMatch
    /// The text is used up: no longer star before can help.
    case abortAll
    /// A slash is in the way: only `**` before can help.
    case abortToStarStar
  }

  /// Tries after which results are remembered; ordinary globs stay far below.
  private static let patienceInCalls = 256

  private let glob: ArraySlice<UInt8>
  private let text: [UInt8]
  private let isPath: Bool
  private var calls = 0
  private var known: [UInt8] = []

  /// Whether the whole text matches. The text holds no NUL.
  static func matches(_ glob: ArraySlice<UInt8>, _ text: [UInt8], isPath: Bool) -> Bool {
    var matcher = Wildcard(glob: glob, text: text, isPath: isPath)
    return matcher.match(glob.startIndex, 0) == .match
  }

  private init(glob: ArraySlice<UInt8>, text: [UInt8], isPath: Bool) {
    self.glob = glob
    self.text = text
    self.isPath = isPath
  }

  static func isSpecial(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: "*") || byte == UInt8(ascii: "?") || byte == UInt8(ascii: "[")
      || byte == UInt8(ascii: "\\")
  }

  /// A byte of the glob, 0 at its end.
  private func g(_ index: Int) -> UInt8 { index < glob.endIndex ? glob[index] : 0 }
  /// A byte of the text, 0 at its end.
  private func t(_ index: Int) -> UInt8 { index < text.count ? text[index] : 0 }

  private mutating func match(_ globStart: Int, _ textStart: Int) -> Outcome {
    calls += 1
    if calls <= Self.patienceInCalls { return matchOnce(globStart, textStart) }
    if known.isEmpty {
      known = [UInt8](repeating: UInt8.max, count: (glob.count + 2) * (text.count + 1))
    }
    let slot = (globStart - glob.startIndex) * (text.count + 1) + textStart
    if let outcome = Outcome(rawValue: known[slot]) { return outcome }
    let outcome = matchOnce(globStart, textStart)
    known[slot] = outcome.rawValue
    return outcome
  }

  private mutating func matchOnce(_ globStart: Int, _ textStart: Int) -> Outcome {
    var p = globStart
    var i = textStart
    while g(p) != 0 {
      var byte = g(p)
      let letter = t(i)
      if letter == 0 && byte != UInt8(ascii: "*") { return .abortAll }
      switch byte {
      case UInt8(ascii: "?"):
        if isPath && letter == UInt8(ascii: "/") { return .noMatch }
      case UInt8(ascii: "*"):
        switch star(&p, &i, globStart) {
        case .some(let outcome): return outcome
        case .none: break
        }
      case UInt8(ascii: "["):
        if let outcome = bracket(&p, letter) { return outcome }
      default:
        if byte == UInt8(ascii: "\\") {
          p += 1
          byte = g(p)
        }
        if letter != byte { return .noMatch }
      }
      p += 1
      i += 1
    }
    return t(i) == 0 ? .match : .noMatch
  }

  /// At a star: the outcome, or nil when one star stood before a slash and both have been passed
  /// (`p` and `i` are at the slashes).
  private mutating func star(_ p: inout Int, _ i: inout Int, _ start: Int) -> Outcome? {
    let slash = UInt8(ascii: "/")
    let first = p
    p += 1
    var crossesSlash = !isPath
    if g(p) == UInt8(ascii: "*") {
      while g(p) == UInt8(ascii: "*") { p += 1 }
      let opens = first == start || g(first - 1) == slash
      let closes = g(p) == 0 || g(p) == slash || (g(p) == UInt8(ascii: "\\") && g(p + 1) == slash)
      if isPath && opens && closes {
        // `**/`: nothing, to begin with.
        if g(p) == slash, match(p + 1, i) == .match { return .match }
        crossesSlash = true
      }
    }
    if g(p) == 0 {
      return !crossesSlash && text[min(i, text.count)...].contains(slash) ? .noMatch : .match
    }
    if !crossesSlash && g(p) == slash {
      guard let next = text[min(i, text.count)...].firstIndex(of: slash) else { return .noMatch }
      i = next
      return nil
    }
    var letter = t(i)
    while letter != 0 {
      let byte = g(p)
      if !Self.isSpecial(byte) {
        while true {
          letter = t(i)
          if letter == 0 || (!crossesSlash && letter == slash) || letter == byte { break }
          i += 1
        }
        if letter != byte { return .noMatch }
      }
      let outcome = match(p, i)
      if outcome != .noMatch {
        if !crossesSlash || outcome != .abortToStarStar { return outcome }
      } else if !crossesSlash && letter == slash {
        return .abortToStarStar
      }
      i += 1
      letter = t(i)
    }
    return .abortAll
  }

  /// At `[`: nil when the set has the letter (`p` is at its `]`), else the outcome.
  private func bracket(_ p: inout Int, _ letter: UInt8) -> Outcome? {
    p += 1
    var byte = g(p)
    let isNegated = byte == UInt8(ascii: "!") || byte == UInt8(ascii: "^")
    if isNegated {
      p += 1
      byte = g(p)
    }
    var previous: UInt8 = 0
    var isMember = false
    repeat {
      if byte == 0 { return .abortAll }
      if byte == UInt8(ascii: "\\") {
        p += 1
        byte = g(p)
        if byte == 0 { return .abortAll }
        if letter == byte { isMember = true }
      } else if byte == UInt8(ascii: "-") && previous != 0 && g(p + 1) != 0
        && g(p + 1) != UInt8(ascii: "]")
      {
        p += 1
        byte = g(p)
        if byte == UInt8(ascii: "\\") {
          p += 1
          byte = g(p)
          if byte == 0 { return .abortAll }
        }
        if letter <= byte && letter >= previous { isMember = true }
        byte = 0
      } else if byte == UInt8(ascii: "[") && g(p + 1) == UInt8(ascii: ":") {
        let name = p + 2
        p = name
        while g(p) != 0 && g(p) != UInt8(ascii: "]") { p += 1 }
        if g(p) == 0 { return .abortAll }
        if p - name - 1 < 0 || g(p - 1) != UInt8(ascii: ":") {
          // No `:]`: an ordinary set.
          p = name - 2
          byte = UInt8(ascii: "[")
          if letter == byte { isMember = true }
        } else {
          guard let isInClass = Self.isIn(glob[name..<(p - 1)], letter) else { return .abortAll }
          if isInClass { isMember = true }
          byte = 0
        }
      } else if letter == byte {
        isMember = true
      }
      previous = byte
      p += 1
      byte = g(p)
    } while byte != UInt8(ascii: "]")
    if isMember == isNegated || (isPath && letter == UInt8(ascii: "/")) { return .noMatch }
    return nil
  }

  /// Whether a byte is in a class of ASCII; nil for a class that does not exist.
  private static func isIn(_ name: ArraySlice<UInt8>, _ byte: UInt8) -> Bool? {
    let isLower = byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "z")
    let isUpper = byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "Z")
    let isDigit = byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    let isGraphic = byte > 0x20 && byte < 0x7F
    switch String(decoding: name, as: UTF8.self) {
    case "alnum": return isLower || isUpper || isDigit
    case "alpha": return isLower || isUpper
    case "blank": return byte == 0x20 || byte == 0x09
    case "cntrl": return byte < 0x20 || byte == 0x7F
    case "digit": return isDigit
    case "graph": return isGraphic
    case "lower": return isLower
    case "print": return isGraphic || byte == 0x20
    case "punct": return isGraphic && !isLower && !isUpper && !isDigit
    case "space": return byte == 0x20 || (byte >= 0x09 && byte <= 0x0D)
    case "upper": return isUpper
    case "xdigit":
      return isDigit || (byte >= UInt8(ascii: "a") && byte <= UInt8(ascii: "f"))
        || (byte >= UInt8(ascii: "A") && byte <= UInt8(ascii: "F"))
    default: return nil
    }
  }
}
