/// Watches over what snapshots remove and rewrite: a value with no clock and no input or output of its own.
///
/// The caller reports each snapshot, looks closely where that is asked for, and reports what it found.
package struct Guard: Sendable {
  /// What one snapshot says of itself.
  package struct Sample: Sendable, Hashable {
    package var id: String
    /// The snapshot before; nil for the first.
    package var parent: String?
    /// Files in it.
    package var files: Int
    package var added: Int
    package var modified: Int
    package var removed: Int

    package init(
      id: String, parent: String?, files: Int, added: Int, modified: Int, removed: Int
    ) {
      self.id = id
      self.parent = parent
      self.files = files
      self.added = added
      self.modified = modified
      self.removed = removed
    }

    var touched: Int { modified + removed }
  }

  /// Two snapshots between which so much changed that it has to be looked at closely.
  package struct Suspicion: Sendable, Hashable {
    package let before: String
    package let after: String
    /// The newest snapshot before most of it.
    package let good: String

    package init(before: String, after: String, good: String) {
      self.before = before
      self.after = after
      self.good = good
    }
  }

  /// What is to be done about damage.
  package struct Alarm: Sendable, Hashable {
    /// The newest snapshot before the damage, and the first that has it.
    package let good: String
    package let damaged: String
    package let reasons: [String]
    /// It goes on from the alarm before: nobody is told again.
    package let isContinued: Bool
  }

  package let policy: GuardPolicy
  /// Snapshots of the window, each the next one's parent, and how many files were there before each.
  private var samples: [(time: Duration, filesBefore: Int, sample: Sample)] = []
  private var last: Sample?
  private var lastAlarm: Duration?

  package init(_ policy: GuardPolicy) {
    self.policy = policy
  }

  /// A snapshot was taken, at a time of any clock that never goes back. What is returned is to be looked at
  /// closely.
  package mutating func captured(_ sample: Sample, at now: Duration) -> Suspicion? {
    if policy.isOff { return nil }
    // A restore or another command moved the branch: what that did, somebody wanted.
    if last?.id != sample.parent { samples = [] }
    samples.removeAll { $0.time <= now - policy.within }
    guard sample.parent != nil else {
      // The first of all takes nothing away.
      last = sample
      return nil
    }
    // At least so many, where the one before is not known; the close look knows it.
    let filesBefore = last?.id == sample.parent ? last?.files : nil
    samples.append((now, filesBefore ?? max(0, sample.files - sample.added), sample))
    last = sample
    guard let before = samples[0].sample.parent else { return nil }
    let touched = samples.reduce(0) { $0 + $1.sample.touched }
    // Noise weighs twice: half of the share may be enough.
    let shares = [policy.removed, policy.rewritten.map { ($0 + 1) / 2 }].compactMap { $0 }
    guard policy.reaches(touched, of: samples[0].filesBefore, share: shares.min()) else {
      return nil
    }
    return Suspicion(before: before, after: sample.id, good: parentOfDamage(touched) ?? before)
  }

  /// The parent of the first snapshot that changed much of what changed.
  private func parentOfDamage(_ touched: Int) -> String? {
    samples.first { $0.sample.touched * 10 >= touched }?.sample.parent
  }

  /// A snapshot was taken of what somebody went back to: that is no damage.
  package mutating func intended(_ sample: Sample) {
    samples = []
    last = sample
  }

  /// What the close look found; nil where it is no alarm.
  package mutating func judge(
    _ suspicion: Suspicion, _ evidence: GuardEvidence, at now: Duration
  ) -> Alarm? {
    let reasons = evidence.reasons(policy)
    if reasons.isEmpty { return nil }
    let isContinued = lastAlarm.map { now - $0 < policy.within } ?? false
    lastAlarm = now
    // What was told does not count again.
    samples = []
    return Alarm(
      good: suspicion.good, damaged: suspicion.after, reasons: reasons, isContinued: isContinued)
  }
}
