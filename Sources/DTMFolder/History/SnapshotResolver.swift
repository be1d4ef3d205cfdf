internal import DTMRepository
package import DTMSystem

/// Finds the snapshot that a text names.
///
/// Forms: an id or a prefix of at least 4 digits; `HEAD` and `@`; a branch or a tag; `@{time}`; `@good`;
/// `key=value`; each with `~N` and `^` behind it.
package struct SnapshotResolver {
  private let history: History
  private let calendar: LocalCalendar
  private let now: Timestamp

  /// The shortest prefix of an id that is looked up.
  private static let shortestPrefix = 4

  /// `now`: what relative times count from.
  package init(_ history: History, calendar: LocalCalendar, now: Timestamp) {
    self.history = history
    self.calendar = calendar
    self.now = now
  }

  /// The snapshot. Throws `.notFound` when nothing fits, `.ambiguous`, with the candidates, when several
  /// do, `.invalidInput` for a text that can't name one.
  package func resolve(_ text: String) throws(FolderError) -> KnownSnapshot {
    let (base, steps) = try Self.steps(text)
    let start = try resolveBase(base, whole: text)
    if steps == 0 { return start }
    var taken = -1
    var found: KnownSnapshot?
    // As log, it passes over what was taken away, and over what is lost.
    try history.forEachAncestor(of: start.id) { known in
      taken += 1
      if taken == steps { found = known }
      return found == nil
    }
    if let found { return found }
    throw FolderError(
      .notFound, "\(text) is before the first snapshot: \(base) has \(taken) ancestors")
  }

  /// Whether the text names a snapshot; nil where nothing fits. Other failures are thrown.
  package func find(_ text: String) throws(FolderError) -> KnownSnapshot? {
    do throws(FolderError) { return try resolve(text) } catch {
      if error.code == .notFound || error.code == .invalidInput { return nil }
      throw error
    }
  }

  /// Splits `~3^` off the end: the base and the number of steps back.
  private static func steps(_ text: String) throws(FolderError) -> (base: String, steps: Int) {
    if text.hasSuffix("}") { return (text, 0) }
    var base = Substring(text)
    var steps = 0
    while true {
      if base.hasSuffix("^") {
        base = base.dropLast()
        steps += 1
        continue
      }
      guard let tilde = base.lastIndex(of: "~") else { break }
      let digits = base[base.index(after: tilde)...]
      guard digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }), digits.utf8.count < 10 else {
        break
      }
      steps += digits.isEmpty ? 1 : Int(digits) ?? 0
      base = base[..<tilde]
    }
    if text.isEmpty { throw FolderError(.invalidInput, "a snapshot's name is empty") }
    if base.isEmpty {
      throw FolderError(.invalidInput, "\(Quoting.path(Array(text.utf8))) names no snapshot")
    }
    return (String(base), steps)
  }

  private func resolveBase(_ base: String, whole: String) throws(FolderError) -> KnownSnapshot {
    if base == "HEAD" || base == "@" {
      guard let head = history.head else {
        throw FolderError(
          .notFound, "there is no snapshot on the branch \(history.currentBranch) yet",
          hint: "dtm snapshot takes one")
      }
      return try history.snapshot(head)
    }
    if base.hasPrefix("@{"), base.hasSuffix("}") {
      return try atTime(String(base.dropFirst(2).dropLast()), whole: whole)
    }
    if base == "@good" {
      return try firstAncestor("no snapshot has passed all checks") { known throws(FolderError) in
        try history.isGood(known.id)
      }
    }
    if let equals = base.firstIndex(of: "="), equals > base.startIndex {
      let (key, value) = (String(base[..<equals]), String(base[base.index(after: equals)...]))
      return try firstAncestor("no snapshot carries the label \(base)") {
        known throws(FolderError) in
        try history.marks(of: known).labels[key] == value
      }
    }
    return try byName(base)
  }

  private func byName(_ name: String) throws(FolderError) -> KnownSnapshot {
    var found: [(what: String, known: KnownSnapshot)] = []
    if let id = history.branch(name) { found.append(("branch \(name)", try history.snapshot(id))) }
    if let id = history.tag(name) { found.append(("tag \(name)", try history.snapshot(id))) }
    if name.utf8.count >= Self.shortestPrefix, name.utf8.count <= 64,
      Hex.bytes(name.utf8.count % 2 == 0 ? name : name + "0") != nil
    {
      for known in try history.snapshots(prefix: name) { found.append(("id", known)) }
      if found.isEmpty { found += try history.rewritten(prefix: name).map { ("id", $0) } }
    }
    guard let first = found.first else {
      throw FolderError(
        .notFound, "no snapshot, branch or tag is named \(Quoting.path(Array(name.utf8)))",
        hint: name.utf8.count < Self.shortestPrefix
          ? "an id's prefix has at least \(Self.shortestPrefix) digits"
          : "dtm log --all lists the snapshots")
    }
    if Set(found.map(\.known.id)).count > 1 {
      throw FolderError(
        .ambiguous, "\(name) names \(found.count) snapshots",
        details: found.map { describe($0.known, as: $0.what) }, hint: "give one more digit")
    }
    return first.known
  }

  /// A candidate's line: short id, local time, trigger, message.
  private func describe(_ known: KnownSnapshot, as what: String) -> String {
    let snapshot = known.snapshot
    let text =
      snapshot.message.isEmpty ? snapshot.trigger : "\(snapshot.trigger) \(snapshot.message)"
    let time = calendar.display(snapshot.time)
    return "\(known.id.hex.prefix(12))  \(time)  \(text)" + (what == "id" ? "" : "  (\(what))")
  }

  private func atTime(_ text: String, whole: String) throws(FolderError) -> KnownSnapshot {
    guard let time = calendar.resolve(text, now: now) else {
      throw FolderError(
        .invalidInput, "\(whole): \(text) is no time",
        hint: "as in @{2h}, @{yesterday}, @{2026-11-22}, @{2026-11-22T02:10}, @{02:10}")
    }
    return try firstAncestor("\(whole): no snapshot is as old as \(calendar.display(time))") {
      $0.snapshot.time <= time
    }
  }

  private func firstAncestor(
    _ failure: String, _ fits: (KnownSnapshot) throws(FolderError) -> Bool
  ) throws(FolderError) -> KnownSnapshot {
    var found: KnownSnapshot?
    try history.forEachAncestor(of: history.head) { known throws(FolderError) in
      if try fits(known) { found = known }
      return found == nil
    }
    guard let found else {
      throw FolderError(.notFound, "\(failure) on the branch \(history.currentBranch)")
    }
    return found
  }
}
