internal import DTMFolder
internal import DTMSystem

/// Arguments of which the first may name states, and all others are paths.
struct StateArguments {
  private(set) var states: [FolderState] = []
  private(set) var paths: [PathKey] = []

  /// `names`: each of the first `limit` is a state if it names one, else it and all behind it are
  /// paths. `paths`: what stands behind `--`. `allowsUnknown`: a path may be one that is neither in
  /// the folder nor in the newest snapshot.
  ///
  /// Throws `.ambiguous` for a word that could be both, `.notFound` for one that is neither.
  init(
    _ access: FolderAccess, names: [String], paths: [String], limit: Int,
    allowsUnknown: Bool = false
  ) throws {
    let arguments = try PathArguments(access.invocation, access.location)
    var rest = names[...]
    while states.count < limit, let name = rest.first {
      guard let state = try Self.state(name, access) else { break }
      if try Self.mayBePath(name, arguments, access) {
        throw CommandFailure(
          .ambiguous, "\(Quoting.path(Array(name.utf8))) names a snapshot and a path",
          hint: allowsUnknown
            ? "--at \(name) means the snapshot, -- \(name) the path"
            : "paths stand after --, as in: -- \(name)")
      }
      states.append(state)
      rest = rest.dropFirst()
    }
    if let first = rest.first, states.count < limit, !allowsUnknown,
      try !access.isKnownPath(arguments.key(first))
    {
      throw CommandFailure(
        .notFound,
        "no snapshot and no path is named \(Quoting.path(RawArguments.bytes(of: first)))",
        hint: "dtm log lists the snapshots, dtm ls the paths")
    }
    self.paths = try arguments.keys(rest + paths)
  }

  private static func state(_ name: String, _ access: FolderAccess) throws -> FolderState? {
    if name == FolderState.workingName { return .working }
    return try access.resolver.find(name).map { .snapshot($0) }
  }

  /// Whether a word that names a snapshot is also a path of the folder. Ids, `HEAD` and times never
  /// are meant as one.
  private static func mayBePath(
    _ name: String, _ arguments: PathArguments, _ access: FolderAccess
  ) throws -> Bool {
    if name == "HEAD" || name == FolderState.workingName || name.hasPrefix("@") { return false }
    guard let key = try? arguments.key(name) else { return false }
    return try access.isKnownPath(key)
  }
}
