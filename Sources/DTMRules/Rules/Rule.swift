/// What fires a rule; all conditions of one have to hold.
package enum RuleCondition: Sendable, Hashable {
  /// A file of this name was closed or put in place.
  case marker(RulePattern)
  /// A file or directory was renamed to this name.
  case movedIn(RulePattern)
  /// So many paths changed since the last snapshot.
  case filesChanged(Int)
  /// Changed files hold so many bytes.
  case bytesChanged(Int)
  case every(Duration)
  /// A local time of day, in minutes.
  case at(minute: Int)
  /// A directory holds so many files that fit.
  case directory(RulePattern, files: Int, matching: RulePattern)
  /// A stage of this name begins, ends or fails.
  case stage(RulePattern)

  /// Whether it holds for a path.
  package var isAboutPath: Bool {
    switch self {
    case .marker, .movedIn, .directory: true
    case .filesChanged, .bytesChanged, .every, .at, .stage: false
    }
  }
}

/// When a snapshot is taken beside quiet ones, and what it is given.
package struct Rule: Sendable, Hashable {
  package var name: String
  /// Not empty.
  package var conditions: [RuleCondition]
  package var labels: [String: RuleTemplate]
  package var tag: RuleTemplate?
  package var isPinned: Bool

  package init(
    name: String, conditions: [RuleCondition], labels: [String: RuleTemplate] = [:],
    tag: RuleTemplate? = nil, isPinned: Bool = false
  ) {
    self.name = name
    self.conditions = conditions
    self.labels = labels
    self.tag = tag
    self.isPinned = isPinned
  }

  /// Whether it fires for paths.
  package var isAboutPath: Bool { conditions.contains(where: \.isAboutPath) }

  /// Whether it fires by a clock alone.
  package var isScheduled: Bool {
    conditions.allSatisfy {
      switch $0 {
      case .every, .at: true
      default: false
      }
    }
  }

  /// What goes first when several want a snapshot.
  package var priority: SettlePriority {
    if isScheduled { return .schedule }
    if isAboutPath { return .marker }
    return conditions.contains { if case .stage = $0 { true } else { false } } ? .stage : .threshold
  }

  /// What the snapshot is recorded as.
  package var trigger: TriggerKind { isScheduled ? .schedule : .rule }
}
