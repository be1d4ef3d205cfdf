/// Chunks into a store, an index file a snapshot.
struct Casync: Tool {
  let name = "casync"
  let version = Command("casync", "--version")

  private func command(_ place: Place, _ arguments: String...) -> Command {
    var command = Command("casync", in: place.base)
    command.arguments += arguments
    command.arguments.append("--store=\(place.repository)/default.castr")
    return command.with(["HOME": place.home])
  }

  private func index(_ place: Place, _ number: Int) -> String {
    "\(place.repository)/s\(number).caidx"
  }

  func create(_ place: Place) -> [Command] { [Command("mkdir", "-p", place.repository)] }

  func snapshot(_ place: Place, _ number: Int) -> [Command] {
    [command(place, "make", index(place, number), place.tree)]
  }

  func restore(_ place: Place, _ number: Int) -> [Command] {
    [command(place, "extract", index(place, number), place.target)]
  }

  func restoreInPlace(_ place: Place, _ number: Int) -> [Command] {
    [command(place, "extract", index(place, number), place.tree)]
  }
}
