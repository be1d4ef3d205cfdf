import DTMSystem
import DTMWatch
import Testing

/// Ignored names and repositories carry no watches.
@Suite(.serialized, .timeLimit(.minutes(60))) struct ExclusionTests {
  private static let ignored: @Sendable (PathKey, Bool) -> Bool = { key, isDirectory in
    key.components.contains { $0 == Array("ignored".utf8) || $0 == Array(".dtm".utf8) }
      || key.name.starts(with: Array("tmp".utf8))
  }

  @Test func `an excluded directory has no watch, and nothing in it is told`() throws {
    let playground = try Playground()
    for place: Place in ["folder/.dtm", "folder/.dtm/x", "folder/a", "folder/a/ignored"] {
      playground.make(place)
    }
    let watcher = try playground.watcher(isExcluded: Self.ignored)
    #expect(watcher.status.watchedDirectories == 2)
    playground.write("folder/.dtm/x/pack")
    playground.write("folder/a/ignored/file")
    playground.make("folder/a/ignored/more")
    playground.write("folder/a/tmp1")
    playground.make("folder/a/tmp2")
    let set = try watcher.next()
    #expect(set.isEmpty)
    #expect(watcher.status.lastEvent == nil)
    #expect(watcher.status.watchedDirectories == 2)
  }

  @Test func `an excluded directory under an included name is watched with all beneath`() throws {
    let playground = try Playground()
    for place: Place in ["folder/ignored", "folder/ignored/b"] { playground.make(place) }
    let watcher = try playground.watcher(isExcluded: Self.ignored)
    playground.rename("folder/ignored", "folder/a")
    #expect(try watcher.next().covers(key("a/b")))
    #expect(watcher.wait(within: .seconds(10)) { $0.watchedDirectories == 3 })
    _ = try watcher.next()
    playground.write("folder/a/b/file")
    #expect(try watcher.next().marks.map(\.key) == [key("a/b/file")])
    playground.rename("folder/a", "folder/ignored")
    #expect(try watcher.next().marks.map(\.key) == [key("a")])
    #expect(watcher.wait(within: .seconds(10)) { $0.watchedDirectories == 1 })
  }

  @Test func `what is excluded beneath a directory is looked at again when that is moved`() throws {
    // Excluded by its whole path, as an anchored pattern does it.
    let rule: @Sendable (PathKey, Bool) -> Bool = { key, _ in
      key == PathKey("a/out") || key == PathKey("b/in")
    }
    let playground = try Playground()
    for place: Place in ["folder/a", "folder/a/out", "folder/a/in", "folder/a/in/x"] {
      playground.make(place)
    }
    let watcher = try playground.watcher(isExcluded: rule)
    #expect(watcher.status.watchedDirectories == 4)
    playground.rename("folder/a", "folder/b")
    _ = try watcher.next()
    #expect(
      watcher.wait(within: .seconds(10)) {
        $0.watchedDirectories == 3 && $0.pendingDirectories == 0
      })
    _ = try watcher.next()
    playground.write("folder/b/out/file")
    playground.write("folder/b/in/x/file")
    #expect(try watcher.next().marks.map(\.key) == [key("b/out/file")])
  }

  @Test func `a directory that becomes a repository is dropped`() throws {
    let playground = try Playground()
    let folder = playground.folder
    let rule: @Sendable (PathKey, Bool) -> Bool = { key, isDirectory in
      if key.name == Array(".dtm".utf8) { return true }
      guard isDirectory, !key.isRoot else { return false }
      let inner = key.appending(Array(".dtm".utf8)).path
      let opened = try? Descriptor.open(folder, [.path]).openDirectory(beneath: inner)
      return opened != nil
    }
    for place: Place in ["folder/a", "folder/a/nested", "folder/a/nested/x"] {
      playground.make(place)
    }
    let watcher = try playground.watcher(isExcluded: rule)
    #expect(watcher.status.watchedDirectories == 4)
    playground.make("folder/a/nested/.dtm")
    #expect(try watcher.next().covers(key("a/nested")))
    #expect(watcher.status.watchedDirectories == 2)
    playground.write("folder/a/nested/x/file")
    #expect(try watcher.next().isEmpty)
  }

  @Test func `after a reconcile other exclusions hold`() throws {
    let playground = try Playground()
    playground.make("folder/tmp1")
    let watcher = try playground.watcher(isExcluded: Self.ignored)
    #expect(watcher.status.watchedDirectories == 1)
    watcher.reconcile()
    try watcher.barrier()
    #expect(watcher.waitUntilArmed(within: .seconds(10)) == .watching)
    #expect(try watcher.take().basis == .scan)
    playground.write("folder/a")
    #expect(try watcher.next().marks.map(\.key) == [key("a")])
  }
}
