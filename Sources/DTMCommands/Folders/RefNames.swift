internal import DTMFolder
internal import DTMRepository
internal import DTMSystem

/// Checks of names that become branches or tags.
enum RefNames {
  /// Throws where a name can't be a branch's or a tag's.
  static func check(_ name: String, _ what: String) throws(CommandFailure) {
    if let objection = FolderRefs.objection(to: name) {
      throw CommandFailure(
        .invalidInput, "\(Quoting.path(Array(name.utf8))) can't be the name of a \(what)",
        details: [objection])
    }
  }

  static func missing(_ name: String, _ what: String, among names: [String]) -> CommandFailure {
    let nearest = editDistanceNearest(name, among: names)
    return CommandFailure(
      .notFound, "there is no \(what) \(Quoting.path(Array(name.utf8)))",
      hint: nearest.map { "did you mean \($0)?" } ?? "dtm \(what) lists them")
  }

  static func present(_ name: String, _ what: String, at id: ObjectID) -> CommandFailure {
    CommandFailure(
      .exists, "there is a \(what) \(name) already, at \(Words.short(id))",
      hint: what == "tag"
        ? "dtm tag -d \(name) removes it" : "dtm checkout \(name) switches to it")
  }
}
