internal import DTMSystem

/// Names the snapshots and paths that need broken objects.
///
/// Pages that many snapshots have are looked through once; only those that something broken hangs
/// from are gone through again for each snapshot.
final class LossFinder {
  /// A snapshot and its tree's root page.
  struct Root {
    let snapshot: ObjectID
    let tree: ObjectID
  }

  /// What is broken in a leaf.
  private struct Use {
    let path: PathKey
    let isPage: Bool
    /// Into the damage.
    let index: Int
  }

  private let objects: any ObjectReader
  private let presence: PresenceCheck
  /// Whether anything broken hangs from a page.
  private var suffers: [ObjectID: Bool] = [:]
  /// What is broken directly in a leaf that suffers.
  private var uses: [ObjectID: [Use]] = [:]
  private var brokenLists: [ObjectID: [Int]] = [:]
  private var lost: [PathKey: LostPath] = [:]
  private var lostPages: [PathKey: LostPath] = [:]
  private var named: Set<ObjectID> = []

  init(_ objects: any ObjectReader, _ presence: PresenceCheck) {
    self.objects = objects
    self.presence = presence
  }

  /// The lost paths of the snapshots, in key order; names them in the damage too.
  func find(_ roots: [Root]) throws(RepositoryError) -> [LostPath] {
    for root in roots where try examine(root.tree) { try name(root.tree, .root, in: root.snapshot) }
    return (Array(lost.values) + Array(lostPages.values)).sorted { $0.path < $1.path }
  }

  private func page(_ id: ObjectID) throws(RepositoryError) -> Page? {
    if presence.index(of: ObjectName(id: id, kind: .page)) != nil { return nil }
    return try Page(decoding: objects.read(id, .page), id: id)
  }

  /// Whether anything broken hangs from a page.
  private func examine(_ id: ObjectID) throws(RepositoryError) -> Bool {
    if let known = suffers[id] { return known }
    var result = false
    switch try page(id) {
    case nil: result = true
    case .inner(let inner):
      for child in inner.children where try examine(child) { result = true }
    case .leaf(let leaf):
      var found: [Use] = []
      for row in 0..<leaf.keys.count {
        for (object, kind) in try leaf.references(row) {
          let path = PathKey(bytes: leaf.keys.key(row))
          for index in try broken(ObjectName(id: object, kind: kind)) {
            found.append(Use(path: path, isPage: false, index: index))
          }
        }
      }
      if !found.isEmpty { uses[id] = found }
      result = !found.isEmpty
    }
    suffers[id] = result
    return result
  }

  /// What is broken of an object and all that it names.
  private func broken(_ name: ObjectName) throws(RepositoryError) -> [Int] {
    if let index = presence.index(of: name) { return [index] }
    guard name.kind == .list else { return [] }
    if let known = brokenLists[name.id] { return known }
    var found: [Int] = []
    if let list = try presence.readList(name.id) {
      for child in list.children {
        guard let id = child.id else { continue }
        found += try broken(ObjectName(id: id, kind: list.height == 0 ? .chunk : .list))
      }
    }
    brokenLists[name.id] = found
    return found
  }

  private func name(
    _ id: ObjectID, _ key: PathKey, in snapshot: ObjectID
  ) throws(RepositoryError) {
    guard suffers[id] == true else { return }
    if let index = presence.index(of: ObjectName(id: id, kind: .page)) {
      return add(Use(path: key, isPage: true, index: index), snapshot, isFirst: true)
    }
    if let found = uses[id] {
      let isFirst = named.insert(id).inserted
      for use in found { add(use, snapshot, isFirst: isFirst) }
      return
    }
    guard case .inner(let inner)? = try page(id) else { return }
    for index in 0..<inner.keys.count {
      try name(inner.children[index], PathKey(bytes: inner.keys.key(index)), in: snapshot)
    }
  }

  /// `isFirst`: whether the damage may lack the path yet.
  private func add(_ use: Use, _ snapshot: ObjectID, isFirst: Bool) {
    if presence.damage[use.index].snapshots.last != snapshot {
      presence.damage[use.index].snapshots.append(snapshot)
    }
    if isFirst, presence.damage[use.index].paths.last != use.path,
      !presence.damage[use.index].paths.contains(use.path)
    {
      presence.damage[use.index].paths.append(use.path)
    }
    if use.isPage {
      Self.note(use, snapshot, in: &lostPages)
    } else {
      Self.note(use, snapshot, in: &lost)
    }
  }

  private static func note(
    _ use: Use, _ snapshot: ObjectID, in lost: inout [PathKey: LostPath]
  ) {
    let start = LostPath(path: use.path, isPage: use.isPage, snapshots: [])
    if lost[use.path]?.snapshots.last == snapshot { return }
    lost[use.path, default: start].snapshots.append(snapshot)
  }
}
