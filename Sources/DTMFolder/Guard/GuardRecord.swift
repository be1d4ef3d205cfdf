package import DTMRepository
package import DTMSystem

/// An alarm of the guard, as the ref log has it.
///
/// A ref under `holds/` with the damaged snapshot's id leads to the good one for as long as nobody ends the
/// alarm; a fact of the damaged snapshot says the rest.
package struct GuardRecord: Sendable, Hashable {
  /// The key of the fact.
  package static let name = "guard"

  /// The first snapshot that has the damage, and the newest before it.
  package let damaged: ObjectID
  package let good: ObjectID
  /// When the alarm was raised, and when it and what it holds end by themselves; whole seconds.
  package var time: Timestamp
  package var until: Timestamp
  /// Whether nothing is to be pruned before that.
  package var holdsRetention: Bool
  /// Why, for people.
  package var reason: String

  package init(
    damaged: ObjectID, good: ObjectID, time: Timestamp, until: Timestamp, holdsRetention: Bool,
    reason: String
  ) {
    self.damaged = damaged
    self.good = good
    self.time = time
    self.until = until
    self.holdsRetention = holdsRetention
    self.reason = reason
  }

  /// The fact's value: parts ended by a NUL (format: The ref log).
  package var encoded: [UInt8] {
    let parts = [
      good.hex, String(time.seconds), String(until.seconds), holdsRetention ? "hold" : "",
      reason,
    ]
    return parts.flatMap { Array($0.utf8.filter { $0 != 0 }) + [0] }
  }

  /// Nil for bytes that are no such value. What a later version may add behind is passed over.
  package init?(_ damaged: ObjectID, decoding bytes: [UInt8]) {
    let parts = bytes.split(separator: 0, omittingEmptySubsequences: false)
      .map { String(decoding: $0, as: UTF8.self) }
    guard parts.count >= 6, let good = ObjectID(hex: parts[0]), let time = Int64(parts[1]),
      let until = Int64(parts[2]), Self.isTime(time), Self.isTime(until)
    else { return nil }
    self.init(
      damaged: damaged, good: good, time: Timestamp(seconds: time, nanoseconds: 0),
      until: Timestamp(seconds: until, nanoseconds: 0), holdsRetention: parts[3] == "hold",
      reason: parts[4])
  }

  /// What has a year of at most four digits.
  private static func isTime(_ seconds: Int64) -> Bool { (0...253_402_300_799).contains(seconds) }
}

extension History {
  /// The alarms that nobody has ended and whose time is not over, the newest first.
  package func guardRecords(at now: Timestamp) throws(FolderError) -> [GuardRecord] {
    var records: [GuardRecord] = []
    for (name, good) in ids(under: refs.guardHolds) {
      guard let damaged = ObjectID(hex: name) else { continue }
      let value = try facts(of: damaged)[GuardRecord.name]
      // Where the fact is lost, the ref still holds, for good: better than nothing.
      let record =
        value.flatMap { GuardRecord(damaged, decoding: $0) }
        ?? GuardRecord(
          damaged: damaged, good: good, time: now,
          until: Timestamp(seconds: now.seconds + 86_400, nanoseconds: 0),
          holdsRetention: true, reason: "what the guard saw is not known any more")
      if record.until > now { records.append(record) }
    }
    return records.sorted { ($0.time, $0.damaged) > ($1.time, $1.damaged) }
  }

  /// What of an alarm keeps snapshots from being pruned; nil where nothing does.
  package func retentionHold(at now: Timestamp) throws(FolderError) -> GuardRecord? {
    try guardRecords(at: now).filter(\.holdsRetention).max { $0.until < $1.until }
  }

  /// The record that an alarm makes, or that has it go on. `isPinned`: the good snapshot is pinned too.
  package func raising(_ alarm: GuardRecord, isPinned wanted: Bool) -> RecordDraft {
    var draft = RecordDraft(kind: "guard", summary: "guard: \(alarm.reason)")
    draft.facts = [Fact(subject: alarm.damaged, key: GuardRecord.name, value: alarm.encoded)]
    let hold = refs.guardHold(alarm.damaged)
    draft.moves = [RefMove(ref: hold, old: state.refs[hold], new: .id(alarm.good))]
    if wanted, !isPinned(alarm.good) {
      draft.moves.append(RefMove(ref: refs.pin(alarm.good), old: nil, new: .id(alarm.good)))
    }
    return draft
  }

  /// The record that ends all alarms, also those whose time is over; nil where there is none. Pins stay.
  package func releasing() -> RecordDraft? {
    let names = ids(under: refs.guardHolds).map { refs.guardHolds + $0.name }
    if names.isEmpty { return nil }
    var draft = RecordDraft(
      kind: "guard", summary: names.count == 1 ? "ended an alarm" : "ended \(names.count) alarms")
    draft.moves = names.map { RefMove(ref: $0, old: state.refs[$0], new: nil) }
    return draft
  }
}
