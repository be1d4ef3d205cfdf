package import DTMRepository

/// Draws beside the lines of a log which snapshot comes from which, newest first: one lane for each
/// line of history that goes on below.
package struct GraphLanes {
  /// The snapshot that each lane comes to next; nil where a lane has ended and another may begin.
  private var lanes: [ObjectID?] = []

  package init() {}

  /// What stands beside a snapshot, and in the lines above it where lanes meet in it.
  ///
  /// `parent`: the next one of its line that is listed; nil where the line ends.
  package mutating func add(_ id: ObjectID, parent: ObjectID?) -> (joins: [String], mark: String) {
    let own: Int
    if let lane = lanes.firstIndex(of: id) {
      own = lane
    } else if let free = lanes.firstIndex(where: { $0 == nil }) {
      own = free
    } else {
      own = lanes.count
      lanes.append(nil)
    }
    var joins: [String] = []
    while let last = lanes.lastIndex(of: id), last > own {
      joins.append(join(last, into: own))
      lanes[last] = nil
    }
    lanes[own] = id
    let mark = row { $0 == own ? "*" : "|" }
    lanes[own] = parent
    while lanes.last == .some(nil) { lanes.removeLast() }
    return (joins, mark)
  }

  /// The lanes that pass by, for lines between two snapshots.
  package var passing: String { row { _ in "|" } }

  private func row(_ symbol: (Int) -> String) -> String {
    Self.trimmed(lanes.indices.map { lanes[$0] == nil ? " " : symbol($0) }.joined(separator: " "))
  }

  /// `|_|/`: a lane that ends in another one to its left.
  private func join(_ lane: Int, into own: Int) -> String {
    var text = ""
    for index in lanes.indices {
      if index > 0 {
        text += index == lane ? "/" : index > own && index < lane ? "_" : " "
      }
      let isCrossed = index > own && index < lane && lanes[index] == nil
      text += index == lane ? " " : isCrossed ? "_" : lanes[index] == nil ? " " : "|"
    }
    return Self.trimmed(text)
  }

  private static func trimmed(_ text: String) -> String {
    var text = text[...]
    while text.last == " " { text.removeLast() }
    return String(text)
  }
}
