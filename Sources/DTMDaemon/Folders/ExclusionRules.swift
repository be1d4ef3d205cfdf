internal import DTMFolder
internal import DTMSystem
internal import Synchronization

/// Which paths the watcher need not look at.
///
/// The repository never. What the configuration's patterns ignore neither, unless a `.dtmignore`
/// somewhere in the folder may take a pattern back: while there is one, everything is watched and
/// the engine decides.
final class ExclusionRules: Sendable {
  private let scope: IgnoreScope
  private let honoursPatterns: Atomic<Bool>
  private let isChanged = Atomic(false)

  init(patterns: [String]) {
    scope = IgnoreScope(configured: patterns)
    honoursPatterns = Atomic(!scope.isEmpty)
  }

  var hasPatterns: Bool { !scope.isEmpty }

  /// Whether a path takes no part; any thread.
  func excludes(_ key: PathKey, isDirectory: Bool) -> Bool {
    if ExclusionRules.isInRepository(key) { return true }
    if key.bytes.hasSuffix(IgnoreScope.fileName), key.name == IgnoreScope.fileName {
      setIgnoreFiles(areThere: true)
      return false
    }
    return honoursPatterns.load(ordering: .acquiring)
      && scope.ignores(key.bytes, isDirectory: isDirectory)
  }

  /// Whether there are ignore files in the folder.
  func setIgnoreFiles(areThere: Bool) {
    let honours = !areThere && hasPatterns
    if honoursPatterns.exchange(honours, ordering: .acquiringAndReleasing) != honours {
      isChanged.store(true, ordering: .releasing)
    }
  }

  /// Whether what is excluded is another since the last call.
  func takeChange() -> Bool { isChanged.exchange(false, ordering: .acquiringAndReleasing) }

  /// The folder's own `.dtm` with all in it, and all in a nested one: that a nested one comes or
  /// goes is news.
  private static func isInRepository(_ key: PathKey) -> Bool {
    let name = FolderLocation.repositoryName.utf8
    var rest = key.bytes[...]
    var isFirst = true
    while !rest.isEmpty {
      let component = rest.prefix { $0 != 0 }
      rest = rest.dropFirst(component.count + 1)
      if component.elementsEqual(name), isFirst || !rest.isEmpty { return true }
      isFirst = false
    }
    return false
  }
}

extension [UInt8] {
  fileprivate func hasSuffix(_ other: [UInt8]) -> Bool {
    count >= other.count && self[(count - other.count)...].elementsEqual(other)
  }
}
