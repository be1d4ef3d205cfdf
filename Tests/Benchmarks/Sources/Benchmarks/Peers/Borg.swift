struct Borg: Tool {
  let name = "borg"
  let version = Command("borg", "--version")

  private func command(_ directory: String, _ place: Place, _ arguments: String...) -> Command {
    var command = Command("borg", in: directory)
    command.arguments += arguments
    return command.with([
      "BORG_REPO": place.repository, "BORG_BASE_DIR": place.home, "HOME": place.home,
      "BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK": "yes",
    ])
  }

  func create(_ place: Place) -> [Command] {
    [command(place.tree, place, "init", "--encryption", "none")]
  }

  func snapshot(_ place: Place, _ number: Int) -> [Command] {
    [command(place.tree, place, "create", "--compression", "zstd,3", "::s\(number)", ".")]
  }

  func restore(_ place: Place, _ number: Int) -> [Command] {
    [command(place.target, place, "extract", "::s\(number)")]
  }

  func restoreInPlace(_ place: Place, _ number: Int) -> [Command] {
    [command(place.tree, place, "extract", "::s\(number)")]
  }

  func verify(_ place: Place) -> [Command] {
    [command(place.tree, place, "check", "--verify-data")]
  }

  func difference(_ place: Place) -> [Command] {
    [command(place.tree, place, "diff", "::s1", "s2")]
  }

  func content(_ place: Place, _ number: Int, _ path: String) -> [Command] {
    [command(place.tree, place, "extract", "--stdout", "::s\(number)", path)]
  }
}
