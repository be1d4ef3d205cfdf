/// A user's command that is told of what somebody should look at.
package struct AlertCommand: Sendable, Hashable {
  /// The program and its arguments; not empty. The event is at its standard input, as JSON.
  package var command: [String]
  /// After so long it is killed.
  package var timeout: Duration

  package init(command: [String], timeout: Duration = .seconds(60)) {
    self.command = command
    self.timeout = timeout
  }
}
