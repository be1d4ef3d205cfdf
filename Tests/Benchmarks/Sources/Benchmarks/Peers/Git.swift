struct Git: Tool {
  let name = "git"
  let version = Command("git", "--version")

  private func command(_ workTree: String, _ place: Place, _ arguments: String...) -> Command {
    var command = Command("git", in: workTree)
    command.arguments += arguments
    return command.with([
      "GIT_DIR": place.repository, "GIT_WORK_TREE": workTree, "HOME": place.home,
      "GIT_CONFIG_NOSYSTEM": "1", "GIT_AUTHOR_NAME": "b", "GIT_AUTHOR_EMAIL": "b@localhost",
      "GIT_COMMITTER_NAME": "b", "GIT_COMMITTER_EMAIL": "b@localhost",
    ])
  }

  func create(_ place: Place) -> [Command] {
    [
      command(place.tree, place, "init", "-q"),
      command(place.tree, place, "config", "gc.auto", "0"),
    ]
  }

  func snapshot(_ place: Place, _ number: Int) -> [Command] {
    [
      command(place.tree, place, "add", "-A", "."),
      command(place.tree, place, "commit", "-q", "--allow-empty", "-m", "s\(number)"),
    ]
  }

  func restore(_ place: Place, _ number: Int) -> [Command] {
    let checkout = command(place.target, place, "checkout", "-q", "-f", "HEAD", "--", ".")
    return [checkout.with(["GIT_INDEX_FILE": place.home + "/restore-index"])]
  }

  func restoreInPlace(_ place: Place, _ number: Int) -> [Command] {
    [command(place.tree, place, "reset", "-q", "--hard")]
  }

  func verify(_ place: Place) -> [Command] { [command(place.tree, place, "fsck", "--full")] }

  func difference(_ place: Place) -> [Command] {
    [command(place.tree, place, "diff", "--name-status", "HEAD~1", "HEAD")]
  }

  func content(_ place: Place, _ number: Int, _ path: String) -> [Command] {
    [command(place.tree, place, "cat-file", "blob", "HEAD:\(path)")]
  }
}
