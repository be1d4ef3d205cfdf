internal import ArgumentParser

/// The verbs of the guard.
struct GuardVerb: ParsableCommand {
  static let configuration = CommandConfiguration.verb(
    commandName: "guard",
    abstract: "Show what the guard saw, and end its alarms",
    discussion: """
      dtmd looks at what each snapshot removes and rewrites. When much of the folder is gone, empty or \
      noise at once, it pins the newest snapshot before, keeps anything from being pruned for a week, and \
      tells. Without a verb: show.
      """,
    subcommands: [GuardShow.self, GuardRelease.self], defaultSubcommand: GuardShow.self)
}
