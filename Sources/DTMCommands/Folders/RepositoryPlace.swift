internal import DTMFolder
internal import DTMSystem
internal import SystemPackage

/// Where a repository outside of its folder is kept.
struct RepositoryPlace {
  private let invocation: Invocation

  init(_ invocation: Invocation) {
    self.invocation = invocation
  }

  /// The directory that holds the repositories of a daemon's folders: the system's for root, else the
  /// user's.
  var usual: FilePath {
    if invocation.user == 0 { return "/var/lib/dtm" }
    if let state = invocation.environment["XDG_STATE_HOME"], state.hasPrefix("/") {
      return FilePath(state).appending("dtm")
    }
    let home = invocation.environment["HOME"] ?? UserDirectory.home(ofUser: invocation.user) ?? "/"
    return FilePath(home).appending(".local/state/dtm")
  }

  /// Makes the directory of a repository where it is missing; where root does so for somebody else's
  /// folder, it is given to the folder's owner.
  ///
  /// A directory that is there already keeps its owner: it may be anything.
  func prepare(_ place: FilePath, _ owner: FileStatus) throws(CommandFailure) {
    let parent = place.removingLastComponent()
    guard let name = place.lastComponent?.string else { return }
    do throws(Errno) {
      _ = try DirectoryMaking.directory(parent, mode: 0o755)
      let directory = try Descriptor.open(parent, [.readOnly, .directory])
      do throws(Errno) {
        try directory.makeDirectory(Array(name.utf8), mode: 0o700)
      } catch {
        if error == .fileExists { return }
        throw error
      }
      if invocation.user == 0, owner.uid != 0 {
        let made = try directory.open(Array(name.utf8), [.readOnly, .directory, .noFollow])
        // Whoever may write the parent could have put another in its place.
        if try DirectoryListing(reading: made).count > 0 { throw .directoryNotEmpty }
        try made.setOwner(user: owner.uid, group: owner.gid)
      }
      try directory.synchronize()
    } catch {
      throw CommandFailure(error, "make \(Quoting.path(place))")
    }
  }
}
