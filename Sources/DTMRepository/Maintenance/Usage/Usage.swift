/// What snapshots use of a repository's room.
package struct Usage: Sendable {
  /// Of some objects: unpacked, and their share of the packs that they stand in.
  package struct Room: Sendable, Equatable {
    package var objects = 0
    package var rawBytes = 0
    package var storedBytes = 0.0

    package init() {}
  }

  /// All that the snapshots need, each object once.
  package var needed = Room()
  /// All packs' files, with what nobody needs.
  package var packBytes = 0
  /// All other files of the repository that count: the ref log.
  package var logBytes = 0
}
