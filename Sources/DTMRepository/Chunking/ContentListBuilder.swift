/// Builds the Merkle list over a file's chunks and holes, cut at content-defined places, so that a change
/// anywhere rewrites one path of lists (format: Lists).
///
/// Memory: one open list a level.
package struct ContentListBuilder {
  private let objects: any ObjectWriter
  private var levels: [[ContentList.Child]] = []

  package init(_ objects: any ObjectWriter) {
    self.objects = objects
  }

  /// Adds the next chunk or hole; holes are maximal, which is the caller's business.
  package mutating func append(_ child: ContentList.Child) throws(RepositoryError) {
    try add(child, height: 0)
  }

  /// Closes what is open and returns the root's id. At least one child must have been added.
  package mutating func finish() throws(RepositoryError) -> ObjectID {
    precondition(!levels.isEmpty, "a list without children")
    var height = 0
    while true {
      let children = levels[height]
      if height == levels.count - 1 {
        // The height at which there is one list is the root's.
        if height > 0 && children.count == 1, let id = children[0].id { return id }
        if height == 0 || children.count > 1 { try close(height) }
      } else if !children.isEmpty {
        try close(height)
      }
      height += 1
    }
  }

  private mutating func add(
    _ child: ContentList.Child, height: Int
  ) throws(RepositoryError) {
    if levels.count == height { levels.append([]) }
    levels[height].append(child)
    if ContentList.isBorder(after: child, count: levels[height].count) { try close(height) }
  }

  private mutating func close(_ height: Int) throws(RepositoryError) {
    let list = ContentList(height: height, children: levels[height])
    levels[height].removeAll(keepingCapacity: true)
    let id = try objects.write(.list, list.encoded)
    let length = list.children.reduce(0) { $0 + $1.length }
    try add(ContentList.Child(id: id, length: length), height: height + 1)
  }
}
