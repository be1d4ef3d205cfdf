/// Why a snapshot was taken; the raw value is the word in a snapshot's JSON.
package enum TriggerKind: String, Sendable, CaseIterable {
  case manual, quiet, atMost, rule, schedule, stage, run
  case `guard`, safety, checkout, restore, undo, redo, start, stop

  /// Whether somebody waits for this snapshot: such a request is served at once, even in a pause,
  /// has a snapshot of its own, and is not tried again when it fails.
  package var isExplicit: Bool {
    switch self {
    case .manual, .stage, .run, .safety, .checkout, .restore, .undo, .redo: true
    case .quiet, .atMost, .rule, .schedule, .guard, .start, .stop: false
    }
  }
}

/// What goes first when several want a snapshot; the smaller raw value wins.
package enum SettlePriority: Int, Sendable, Comparable {
  case manual, stage, marker, guarding, threshold, atMost, quiet, schedule

  package static func < (left: SettlePriority, right: SettlePriority) -> Bool {
    left.rawValue < right.rawValue
  }
}

/// A snapshot that somebody asks for: a command, a stage, a rule that fired.
package struct SettleRequest: Sendable, Hashable {
  /// What the snapshot will be recorded as.
  package let kind: TriggerKind
  /// What goes first.
  package let priority: SettlePriority
  /// The rule's or the stage's name; empty for a command.
  package let name: String
  /// The caller's own number for it; it comes back in the action.
  package let ticket: UInt64

  /// `priority`: of a rule, by what fired; nil means the kind's own.
  package init(
    kind: TriggerKind, priority: SettlePriority? = nil, name: String = "", ticket: UInt64 = 0
  ) {
    self.kind = kind
    self.priority = priority ?? Self.priority(of: kind)
    self.name = name
    self.ticket = ticket
  }

  private static func priority(of kind: TriggerKind) -> SettlePriority {
    switch kind {
    case .stage, .run: .stage
    case .rule: .marker
    case .guard: .guarding
    case .atMost: .atMost
    case .quiet: .quiet
    case .schedule: .schedule
    case .manual, .safety, .checkout, .restore, .undo, .redo, .start, .stop: .manual
    }
  }
}

/// What a snapshot that is to be taken is for.
package struct SettleTrigger: Sendable, Hashable {
  /// What the snapshot is recorded as.
  package let kind: TriggerKind
  /// The requests it serves, most important first: one explicit one, or all rules that fired
  /// together; none for quiet, atMost, start and (mostly) stop.
  package let requests: [SettleRequest]

  package init(kind: TriggerKind, requests: [SettleRequest] = []) {
    self.kind = kind
    self.requests = requests
  }
}
