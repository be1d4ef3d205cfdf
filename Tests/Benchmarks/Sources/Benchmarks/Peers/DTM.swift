/// Our own program, with its repository outside of the folder.
struct DTM: Tool {
  /// The folder of `dtm` and `dtmd`.
  let programs: String

  let name = "dtm"
  var version: Command { Command("\(programs)/dtm", "--version") }

  /// A command on the place's folder; no daemon but the place's own can answer.
  func command(_ place: Place, _ arguments: String...) -> Command {
    var command = Command("\(programs)/dtm", "-C", place.tree)
    command.arguments += arguments
    return command.with([
      "DTM_SOCKET": place.home + "/dtmd.sock", "DTM_CONFIG": place.home + "/dtmd.json",
    ])
  }

  func create(_ place: Place) -> [Command] {
    let initialise = Command(
      "\(programs)/dtm", "init", place.tree, "--repository", place.repository,
      "--no-first-snapshot", "-q")
    return [initialise.with(command(place).environment)]
  }

  func snapshot(_ place: Place, _ number: Int) -> [Command] { [command(place, "snapshot", "-q")] }

  func restore(_ place: Place, _ number: Int) -> [Command] {
    [command(place, "restore", "HEAD", "--to", place.target, "-q")]
  }

  func restoreInPlace(_ place: Place, _ number: Int) -> [Command] {
    [command(place, "restore", "HEAD", "-q")]
  }

  func verify(_ place: Place) -> [Command] { [command(place, "verify", "--read-data", "-q")] }

  func difference(_ place: Place) -> [Command] {
    [command(place, "diff", "HEAD~1", "HEAD", "--name-status")]
  }

  func content(_ place: Place, _ number: Int, _ path: String) -> [Command] {
    [command(place, "cat", "HEAD", path)]
  }
}
