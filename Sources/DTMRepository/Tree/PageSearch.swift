/// Looks for the leaf pages that hold certain entries, in one tree after the other. A page that was looked at
/// is passed over with all that is beneath it.
package struct PageSearch {
  private let matches: (TreeEntry) -> Bool
  private var seen: Set<ObjectID> = []
  /// The pages that hold any of them.
  package private(set) var found: Set<ObjectID> = []

  /// `matches`: whether an entry is one of those, whatever tree it stands in.
  package init(matching matches: @escaping (TreeEntry) -> Bool) {
    self.matches = matches
  }

  /// Reads what is new of a tree. Throws as the tree does.
  package mutating func look(at tree: Tree) throws(RepositoryError) {
    try look(at: tree.root, tree.pages)
  }

  private mutating func look(at id: ObjectID, _ pages: PageSource) throws(RepositoryError) {
    guard seen.insert(id).inserted else { return }
    switch try pages.page(id, isKept: false) {
    case .inner(let inner):
      for child in inner.children { try look(at: child, pages) }
    case .leaf(let leaf):
      for index in 0..<leaf.keys.count where try matches(leaf.entry(index)) {
        found.insert(id)
        break
      }
    }
  }
}
