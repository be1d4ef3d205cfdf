/// The word that was probably meant: the one of `candidates` with the fewest letters changed, added,
/// removed or swapped, upper and lower case alike; nil where none is near.
///
/// Near means at most two fifths of the longer word, and at least one. Of several equally near ones
/// it is the first. Cost: the product of the lengths; words beyond 64 bytes have no neighbours.
package func editDistanceNearest(_ word: String, among candidates: [String]) -> String? {
  let longest = 64
  let given = Array(word.lowercased().utf8)
  if given.count > longest { return nil }
  var best: (word: String, distance: Int)?
  for candidate in candidates {
    let wanted = Array(candidate.lowercased().utf8)
    if wanted.count > longest { continue }
    let limit = max(1, max(given.count, wanted.count) * 2 / 5)
    let distance = editDistance(given, wanted)
    if distance <= limit && distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  return best?.word
}

/// Optimal string alignment: Levenshtein's distance with swaps of neighbours.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
  var beforeLast: [Int] = []
  var last = Array(0...right.count)
  for row in left.indices {
    var current = [row + 1]
    for column in right.indices {
      let cost = left[row] == right[column] ? 0 : 1
      var distance = min(last[column + 1] + 1, current[column] + 1, last[column] + cost)
      if row > 0, column > 0, left[row] == right[column - 1], left[row - 1] == right[column] {
        distance = min(distance, beforeLast[column - 1] + 1)
      }
      current.append(distance)
    }
    beforeLast = last
    last = current
  }
  return last[right.count]
}
