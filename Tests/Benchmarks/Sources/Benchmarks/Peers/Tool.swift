/// A program that keeps snapshots of a directory.
///
/// Each function gives the commands that do it, or none where the program cannot.
protocol Tool: Sendable {
  var name: String { get }
  /// Prints the version.
  var version: Command { get }
  /// Makes an empty repository.
  func create(_ place: Place) -> [Command]
  /// Takes the snapshot of that number, counted from 1.
  func snapshot(_ place: Place, _ number: Int) -> [Command]
  /// The whole snapshot, into an empty directory.
  func restore(_ place: Place, _ number: Int) -> [Command]
  /// The whole snapshot, over the tree that it was taken of.
  func restoreInPlace(_ place: Place, _ number: Int) -> [Command]
  /// Reads and checks all data.
  func verify(_ place: Place) -> [Command]
  /// What differs between snapshots 1 and 2.
  func difference(_ place: Place) throws -> [Command]
  /// One file out of a snapshot, to standard output.
  func content(_ place: Place, _ number: Int, _ path: String) -> [Command]
}

extension Tool {
  func create(_ place: Place) -> [Command] { [] }
  func verify(_ place: Place) -> [Command] { [] }
  func difference(_ place: Place) throws -> [Command] { [] }
  func content(_ place: Place, _ number: Int, _ path: String) -> [Command] { [] }
}

/// Where one program works: a tree of its own, a repository, a target, a home.
struct Place: Sendable {
  let base: String
  var tree: String { base + "/tree" }
  var repository: String { base + "/repository" }
  var target: String { base + "/target" }
  var home: String { base + "/home" }
  /// Scratch file.
  var output: String { base + "/output" }
}
