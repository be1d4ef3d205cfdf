/// A user's command that says whether a snapshot is good.
package struct Check: Sendable, Hashable {
  /// Where it runs.
  package enum Place: String, Sendable, CaseIterable {
    /// In the snapshot, laid out for it alone.
    case view
    /// In the folder as it is then.
    case folder
  }

  package var name: String
  /// The program and its arguments; not empty.
  package var command: [String]
  /// After so long it is killed.
  package var timeout: Duration
  package var place: Place
  /// After which snapshots.
  package var after: CheckSelection

  package init(
    name: String, command: [String], timeout: Duration = .seconds(60), place: Place = .view,
    after: CheckSelection = CheckSelection()
  ) {
    self.name = name
    self.command = command
    self.timeout = timeout
    self.place = place
    self.after = after
  }
}
