/// Programs that keep no history: what reading, packing or copying alone costs.
enum Bounds {
  static func archive(_ place: Place) -> [Command] {
    [shell("tar -cf - . | zstd -q -3 -T1 -f -o \(place.output)", in: place.tree)]
  }

  static func unpack(_ place: Place) -> [Command] {
    [shell("zstd -q -dc \(place.output) | tar -xf -", in: place.target)]
  }

  static func digest(_ place: Place) -> [Command] {
    [shell("find . -type f -print0 | xargs -0 sha256sum", in: place.tree)]
  }

  static func walk(_ place: Place) -> [Command] {
    [Command("find", place.tree, "-newermt", "2100-01-01")]
  }

  static func copy(_ place: Place) -> [Command] {
    [Command("cp", "-a", place.tree + "/.", place.target)]
  }

  private static func shell(_ script: String, in directory: String) -> Command {
    Command("sh", "-c", script, in: directory)
  }
}
