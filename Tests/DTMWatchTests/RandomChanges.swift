import DTMSystem
import DTMTestSupport

/// Random changes of a folder, from a seed.
struct RandomChanges: Sendable {
  let playground: Playground
  var random: SplitMix
  private var directories: [Place] = ["folder"]
  private var files: [Place] = []
  private var counter = 0
  /// Files that had several names at some time. What is done through one name raises no event under
  /// the others, and when the name is gone again nothing tells.
  private(set) var linked: Set<UInt64> = []
  /// Files that were written on after they got their name: the events of that carry the name that the
  /// file had before, `#` and its inode.
  private(set) var nameless: Set<UInt64> = []
  /// The last operations, for a failed test to print.
  private(set) var log: [String] = []

  init(_ playground: Playground, _ random: SplitMix) {
    self.playground = playground
    self.random = random
  }

  /// Does so many operations, some of which may be impossible.
  mutating func run(_ count: Int) {
    for _ in 0..<count {
      if counter % 20 == 0 { relist() }
      counter += 1
      step()
    }
  }

  private mutating func step() {
    let file = pick(files)
    let directory = pick(directories) ?? "folder"
    let playground = playground
    switch random.below(29) {
    case 0...3: note("write", fresh()) { playground.write($0) }
    case 4: note("append", file ?? fresh()) { playground.append($0) }
    case 5: note("truncate", file ?? fresh()) { playground.truncate($0, to: 1) }
    case 6...7: note("rename", file, fresh()) { playground.rename($0, $1) }
    case 8: note("rename", file, pick(files)) { playground.rename($0, $1) }
    case 9...10: note("mkdir", fresh()) { playground.make($0) }
    case 11: burst()
    case 12...13: note("rename", inner(), fresh()) { playground.rename($0, $1) }
    case 14: note("rename", inner(), pick(directories)) { playground.rename($0, $1) }
    case 15:
      let other = random.oneIn(3) ? file : inner()
      note("exchange", inner() ?? file, other) { playground.exchange($0, $1) }
    case 16:
      if let file, let inode = playground.inode(file) { linked.insert(inode) }
      note("link", file, fresh()) { playground.link($0, $1) }
    case 17: note("symlink", fresh()) { playground.symlink("nowhere", $0) }
    case 18:
      let mode = 0o700 + UInt32(counter % 8)
      note("chmod", file ?? directory) { playground.setMode($0, mode) }
    case 19:
      let seconds = counter
      note("utime", file ?? directory) { playground.setTimes($0, seconds: seconds) }
    case 20: note("unlink", file ?? fresh()) { playground.remove($0) }
    case 21: if random.oneIn(3) { note("rm -r", inner() ?? fresh()) { playground.removeAll($0) } }
    case 22: note("rename", inner() ?? file, outside()) { playground.rename($0, $1) }
    case 23: note("store", file ?? fresh()) { playground.store($0) }
    case 24:
      let value = counter
      note("attribute", file ?? directory) { playground.setAttribute($0, value) }
    case 25:
      let place = fresh()
      note("unnamed", place) { playground.writeUnnamed($0) }
      if let inode = playground.inode(place) { nameless.insert(inode) }
    case 26: note("replace", fresh()) { playground.replace($0) }
    case 27: note("copy", inner(), fresh()) { playground.copyAll($0, $1) }
    default: note("rename", pick(outsideEntries()), fresh()) { playground.rename($0, $1) }
    }
  }

  /// mkdir a/b/c; fifteen files.
  private mutating func burst() {
    var path = fresh()
    note("burst", path) { [playground] in playground.make($0) }
    for name in ["b", "c"] {
      path = path / name
      playground.make(path)
    }
    for index in 0..<15 { playground.write(path / "f\(index)") }
  }

  private mutating func note(_ word: String, _ path: Place, _ body: (Place) -> Bool) {
    keep("\(body(path) ? "" : "not ")\(word) \(Quoting.path(path.bytes))")
  }

  private mutating func note(
    _ word: String, _ old: Place?, _ new: Place?, _ body: (Place, Place) -> Bool
  ) {
    guard let old, let new else { return }
    let done = body(old, new) ? "" : "not "
    keep("\(done)\(word) \(Quoting.path(old.bytes)) \(Quoting.path(new.bytes))")
  }

  /// The last operations on a path, on something above it, or from or to there.
  func history(of key: PathKey) -> String {
    var names: [String] = ["folder"]
    for name in key.components { names.append(names[names.count - 1] + "/" + Quoting.path(name)) }
    let hits = log.filter { line in
      line.split(separator: " ").contains { word in
        names.dropFirst().contains(String(word)) || word.hasPrefix(names[names.count - 1] + "/")
      }
    }
    return hits.suffix(30).joined(separator: "; ")
  }

  private mutating func keep(_ line: String) {
    log.append(line)
    if log.count > 800 { log.removeFirst(400) }
  }

  private mutating func pick(_ paths: [Place]) -> Place? {
    paths.isEmpty ? nil : paths[random.below(paths.count)]
  }

  /// A directory that is not the folder itself.
  private mutating func inner() -> Place? {
    directories.count < 2 ? nil : directories[1 + random.below(directories.count - 1)]
  }

  /// A name that may be there already, in a directory that may be gone.
  private mutating func fresh() -> Place {
    let parent = pick(directories) ?? "folder"
    return parent / "n\(random.below(60))"
  }

  private mutating func outside() -> Place { Place("out\(random.below(10))") }

  private func outsideEntries() -> [Place] {
    ((try? playground.entries("")) ?? []).map { Place(bytes: $0.name) }.filter { $0 != "folder" }
  }

  private mutating func relist() {
    directories = []
    files = []
    var stack: [Place] = ["folder"]
    while let path = stack.popLast() {
      directories.append(path)
      for entry in (try? playground.entries(path)) ?? [] {
        let inner = path.appending(entry.name)
        if entry.kind == .directory { stack.append(inner) } else { files.append(inner) }
      }
    }
  }
}
