extension SimulatedDisk {
  /// The states that a crash may leave, no two alike: all of them where the combinations are at
  /// most `limit`, else a sample of about `limit`, with the two extremes (nothing and everything of
  /// what was pending came to the disk) always among them.
  func crashStates(limit: Int, using generator: inout SplitMix) -> [SimulatedDisk] {
    var seen: Set<[String: Remains]> = []
    var result: [SimulatedDisk] = []
    func add(_ disk: SimulatedDisk) {
      if seen.insert(remains(in: disk)).inserted { result.append(disk) }
    }
    if crashCount(limit: limit + 1) <= limit {
      forEachNames { names in
        for contents in allContents(of: files(reachableBy: names)) {
          add(
            crashed(names: names, contents: contents) { modes in
              generator.oneIn(2) ? modes.old : modes.now
            })
        }
      }
      return result
    }
    add(sample(nameBias: 0, contentBias: 0, extreme: true, using: &generator))
    add(sample(nameBias: 8, contentBias: 8, extreme: true, using: &generator))
    // Duplicates are frequent where few things are pending: the number of tries is bounded too.
    for _ in 0..<(4 * limit) where result.count < limit {
      add(
        sample(
          nameBias: generator.below(9), contentBias: generator.below(9), extreme: false,
          using: &generator))
    }
    return result
  }

  /// What a crash left of a file: only what was in doubt is looked at byte for byte.
  private enum Remains: Hashable {
    case settled(Int)
    case bytes([UInt8])
  }

  private func remains(in disk: SimulatedDisk) -> [String: Remains] {
    var result: [String: Remains] = [:]
    disk.forEachPath { path, node in
      if case .file(let content, _) = nodes[node], !content.isSettled {
        result[path] = .bytes(disk.content(node).bytes)
      } else {
        result[path] = .settled(node)
      }
    }
    return result
  }

  /// How many states a crash may leave (equal ones counted apart); at most `limit`.
  func crashCount(limit: Int) -> Int {
    if nameChoices(limit: limit) >= limit { return limit }
    var total = 0
    forEachNames { names in
      if total >= limit { return }
      var product = 1
      for node in files(reachableBy: names) {
        product = min(limit, product * content(node).crashCount(limit: limit))
      }
      total = min(limit, total + product)
    }
    return total
  }

  /// How many combinations of pending changes of names there are; at most `limit`.
  private func nameChoices(limit: Int) -> Int {
    var choices = 1
    for change in pendingNames { choices = min(limit, choices * (change.parts + 1)) }
    return choices
  }

  private func forEachNames(_ body: ([Place: Int]) -> Void) {
    for combination in 0..<nameChoices(limit: .max / 4) {
      var rest = combination
      var parts: [Int] = []
      for change in pendingNames {
        parts.append(rest % (change.parts + 1))
        rest /= change.parts + 1
      }
      body(namesAfterCrash { parts[$0] })
    }
  }

  private func allContents(of files: [Int]) -> [[Int: [UInt8]]] {
    var result: [[Int: [UInt8]]] = [[:]]
    for node in files {
      let content = content(node)
      let choices = content.isSettled ? [content.bytes] : Array(content.allCrashContents())
      result = result.flatMap { chosen in
        choices.map { choice in chosen.merging([node: choice]) { $1 } }
      }
    }
    return result
  }

  private func sample(
    nameBias: Int, contentBias: Int, extreme: Bool, using generator: inout SplitMix
  ) -> SimulatedDisk {
    var parts: [Int] = []
    for change in pendingNames {
      let isWhole = generator.below(8) < nameBias
      parts.append(isWhole ? change.parts : extreme ? 0 : generator.below(change.parts))
    }
    let names = namesAfterCrash { parts[$0] }
    var contents: [Int: [UInt8]] = [:]
    for node in files(reachableBy: names) {
      let content = content(node)
      contents[node] =
        extreme
        ? content.extremeContent(newest: contentBias > 0)
        : content.crashContent(bias: contentBias, using: &generator)
    }
    return crashed(names: names, contents: contents) { modes in
      extreme ? (nameBias > 0 ? modes.now : modes.old) : generator.oneIn(2) ? modes.old : modes.now
    }
  }
}
