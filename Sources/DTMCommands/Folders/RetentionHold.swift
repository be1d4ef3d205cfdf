internal import DTMFolder
internal import DTMSystem

/// What keeps snapshots from being taken away while the guard's alarm holds.
enum RetentionHold {
  /// Throws where an alarm holds retention.
  static func check(_ access: FolderAccess) throws {
    let invocation = access.invocation
    guard let hold = try access.history.retentionHold(at: invocation.time.now()) else { return }
    throw CommandFailure(
      .busy,
      "the guard holds all snapshots until \(invocation.calendar.display(hold.until)): "
        + Words.visible(hold.reason),
      details: ["nothing was taken away; dtm guard shows what it saw, and how to go back"],
      hint: "dtm guard release ends the hold; --ignore-hold does it all the same")
  }
}
