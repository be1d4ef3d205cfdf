struct Restic: Tool {
  let name = "restic"
  let version = Command("restic", "version")

  private func command(_ place: Place, _ arguments: String...) -> Command {
    var command = Command("restic", "-q", in: place.tree)
    command.arguments += arguments
    return command.with([
      "RESTIC_REPOSITORY": place.repository, "RESTIC_PASSWORD": "benchmark",
      "RESTIC_CACHE_DIR": place.home, "HOME": place.home,
    ])
  }

  func create(_ place: Place) -> [Command] { [command(place, "init")] }

  func snapshot(_ place: Place, _ number: Int) -> [Command] { [command(place, "backup", ".")] }

  func restore(_ place: Place, _ number: Int) -> [Command] {
    [command(place, "restore", "latest", "--target", place.target)]
  }

  func restoreInPlace(_ place: Place, _ number: Int) -> [Command] {
    [command(place, "restore", "latest", "--target", place.tree)]
  }

  func verify(_ place: Place) -> [Command] { [command(place, "check", "--read-data")] }

  func difference(_ place: Place) throws -> [Command] {
    try command(place, "list", "snapshots").writing(to: place.output).run()
    let snapshots = (Files.text(place.output) ?? "").split(separator: "\n").map(String.init)
    guard snapshots.count == 2 else { return [] }
    return [command(place, "diff", snapshots[0], snapshots[1])]
  }

  func content(_ place: Place, _ number: Int, _ path: String) -> [Command] {
    [command(place, "dump", "latest", "/" + path)]
  }
}
