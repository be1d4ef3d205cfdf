internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// Lays paths of a state out whole beneath a directory; no snapshot is made, and nothing is synced.
struct StateLayOut {
  private let prospector: RestoreProspector
  private let request: RestoreRequest
  private let head: ObjectID?
  private let progress: WorkProgress
  private var repository: Repository { prospector.repository }

  init(
    _ prospector: RestoreProspector, _ request: RestoreRequest, head: ObjectID?,
    progress: WorkProgress
  ) {
    self.prospector = prospector
    self.request = request
    self.head = head
    self.progress = progress
  }

  /// `working`: the folder as it is now; empty where it is gone.
  func run(
    in destination: FilePath, working: () throws(FolderError) -> Tree
  ) throws(FolderError) -> RestoreOutcome {
    let empty = try prospector.emptyTree()
    // Which versions are the newest that differ is a question about the folder.
    let present = request.isChoice && !request.paths.isEmpty ? try working() : empty
    let prospect = try prospector.prospect(request, from: present, head: head)
    let selection = prospector.selection(prospect.targets)
    let place = try Self.open(destination, request)
    defer { withExtendedLifetime(place) {} }
    let wanted = try selection.differences(from: empty)
    var walker = place.root.map { DirectoryWalker($0) }
    var differences: [TreeDifference] = []
    for difference in wanted {
      guard let new = difference.new else { continue }
      // What holds paths of a folder is not the folder.
      if new.key.isRoot && !request.paths.isEmpty { continue }
      let old = place.isEmpty ? nil : try Self.present(new.key, &walker)
      differences.append(TreeDifference(old: old, new: new))
    }
    var planner = RestorePlanner(keepsAdded: false) { _ in
      0
    } present: { _ in
      nil
    } wanted: {
      key throws(FolderError) in
      key.isRoot && !request.paths.isEmpty ? nil : try selection.wanted(key)
    }
    let plan = try planner.plan(differences, name: Hex.string(SecureRandom.bytes(8)))
    var laid = prospect
    laid.plan = plan
    var outcome = RestoreOutcome().merging(laid)
    guard let root = place.root, !request.isDryRun else { return outcome }
    let run = RestoreRun(root, plan, isDurable: false, progress: progress)
    do throws(FolderError) {
      try run.build(repository.objects, helper: RestoreRun.readers(of: repository))
      try run.apply(repository.objects)
    } catch {
      try run.rollBack()
      throw error
    }
    run.report(to: &outcome)
    return outcome
  }

  private struct Destination {
    /// Nil: a dry run into a directory that is not there.
    let root: FolderRoot?
    let isEmpty: Bool
  }

  /// Opens the destination, makes it where it is not there, and checks that it may be written to.
  private static func open(
    _ path: FilePath, _ request: RestoreRequest
  ) throws(FolderError) -> Destination {
    do throws(Errno) {
      if !request.isDryRun { try Descriptor.makeDirectory(at: path, mode: 0o777) }
    } catch {
      if error != .fileExists { throw FolderError(error, "create", path.string) }
    }
    let root: FolderRoot
    let listing: DirectoryListing
    do throws(Errno) {
      root = try FolderRoot(path)
      listing = try DirectoryListing(reading: root.openDirectory(.root).descriptor)
    } catch {
      if error == .noSuchFileOrDirectory && request.isDryRun {
        return Destination(root: nil, isEmpty: true)
      }
      if error == .notDirectory {
        throw FolderError(.exists, "\(path) is there and no directory", cause: error)
      }
      throw FolderError(error, "open", path.string)
    }
    if listing.index(of: repositoryName) != nil {
      throw FolderError(
        .exists, "\(path) is a data folder of its own", hint: "restore into another directory")
    }
    if listing.count > 0 && !request.overwrites {
      throw FolderError(
        .exists, "\(path) is not empty", hint: "--overwrite replaces what is in the way")
    }
    return Destination(root: root, isEmpty: listing.count == 0)
  }

  /// What is at a key of the destination, as far as a plan has to know.
  private static func present(
    _ key: PathKey, _ walker: inout DirectoryWalker?
  ) throws(FolderError) -> TreeEntry? {
    guard let parent = key.parent else { return nil }
    do throws(DirectoryObstacle) {
      guard let directory = try walker?.open(parent) else { return nil }
      do throws(Errno) {
        let status = try directory.descriptor.status(of: key.name)
        guard let kind = status.kind else { return nil }
        return TreeEntry(
          key: key, kind: kind, permissions: status.permissions, owner: Owner(id: status.uid),
          group: Owner(id: status.gid), modified: status.modified, size: status.size)
      } catch { throw .system(error) }
    } catch {
      // What is in the way shows when it is built.
      return nil
    }
  }
}
