internal import DTMSystem
internal import SystemPackage

/// What can't stand together, wherever each part is written. Paths are compared by their text.
extension ConfigurationLoader {
  func conflicts() -> [ConfigurationError] {
    var result: [ConfigurationError] = []
    for (place, folder) in folders.enumerated() {
      for earlier in folders[..<place] {
        result += nameConflict(folder, earlier) + pathConflict(folder, earlier)
        result += sharedRepository(folder, earlier)
      }
      for other in folders { result += repositoryConflict(folder, other) }
    }
    return result
  }

  private typealias Folder = ConfigurationDecoder.Folder

  private func nameConflict(_ folder: Folder, _ earlier: Folder) -> [ConfigurationError] {
    // Two spellings of the same characters would be one word to people and two files on disk.
    guard let name = folder.name, let other = earlier.name, name.text == other.text else {
      return []
    }
    let hint = folder.node["name"] == nil ? "give this folder a \"name\" of its own" : nil
    return [
      error(
        folder, name.node,
        "another folder is called \"\(name.text)\": \(place(earlier, other.node))", hint: hint)
    ]
  }

  private func pathConflict(_ folder: Folder, _ earlier: Folder) -> [ConfigurationError] {
    guard let path = folder.path, let other = earlier.path else { return [] }
    let there = place(earlier, other.node)
    if path.path == other.path {
      return [error(folder, path.node, "\(Quoting.path(path.path)) is there twice: \(there)")]
    }
    if path.path.starts(with: other.path) {
      return [
        error(
          folder, path.node,
          "\(Quoting.path(path.path)) lies in the folder \(Quoting.path(other.path)): \(there)")
      ]
    }
    if other.path.starts(with: path.path) {
      return [
        error(
          folder, path.node,
          "the folder \(Quoting.path(other.path)) lies in \(Quoting.path(path.path)): \(there)")
      ]
    }
    return []
  }

  private func sharedRepository(_ folder: Folder, _ earlier: Folder) -> [ConfigurationError] {
    guard let repository = folder.repository, let other = earlier.repository,
      repository.path.starts(with: other.path) || other.path.starts(with: repository.path)
    else { return [] }
    return [
      error(
        folder, repository.node,
        "another folder keeps its history there: \(place(earlier, other.node))")
    ]
  }

  /// A repository in a folder would be captured with it, and grow with each snapshot.
  private func repositoryConflict(_ folder: Folder, _ other: Folder) -> [ConfigurationError] {
    guard let repository = folder.repository, let path = other.path else { return [] }
    if path.path.starts(with: repository.path) {
      return [
        error(
          folder, repository.node,
          "the folder \(Quoting.path(path.path)) lies in this repository")
      ]
    }
    let isOwn = folder.path?.path == path.path
    if repository.path.starts(with: path.path)
      && !(isOwn && repository.path == path.path.appending(".dtm"))
    {
      return [
        error(
          folder, repository.node,
          "a repository can't lie in the folder \(Quoting.path(path.path))",
          hint: isOwn ? "only \(Quoting.path(path.path.appending(".dtm"))) can" : nil)
      ]
    }
    return []
  }

  private func error(
    _ folder: Folder, _ node: JSONNode, _ message: String, hint: String? = nil
  ) -> ConfigurationError {
    ConfigurationError(
      .invalid, message, hint: hint, path: folder.file, line: node.line, column: node.column)
  }

  private func place(_ folder: Folder, _ node: JSONNode) -> String {
    "\(Quoting.path(folder.file)):\(node.line):\(node.column)"
  }
}
