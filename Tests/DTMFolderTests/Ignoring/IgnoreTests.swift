import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

struct IgnoreTests {
  /// Whether a path is ignored, its directories asked first, as the scanner does.
  private static func ignores(
    _ files: [PathKey: [UInt8]], _ path: PathKey, isDirectory: Bool
  ) -> Bool {
    var scope = IgnoreScope(configured: [])
    var key = PathKey.root
    if let file = files[.root] { scope = scope.entering(.root, file: file) }
    let components = path.components
    for (index, name) in components.enumerated() {
      key = key.appending(name)
      let isLast = index == components.count - 1
      if scope.ignores(key.bytes, isDirectory: isLast ? isDirectory : true) { return true }
      if !isLast, let file = files[key] { scope = scope.entering(key, file: file) }
    }
    return false
  }

  @Test(arguments: [
    ("*.tmp", "a/b.tmp", false, true), ("*.tmp", "a.tmpx", false, false),
    ("/build", "build", true, true), ("/build", "x/build", true, false),
    ("build/", "x/build", true, true), ("build/", "x/build", false, false),
    ("a/**/z", "a/z", false, true), ("a/**/z", "a/b/c/z", false, true),
    ("**/foo", "x/y/foo", false, true), ("abc/**", "abc/x/y", false, true),
    ("*.log\n!keep.log", "d/keep.log", false, false), ("d/\n!d/keep", "d/keep", false, true),
    ("\\#a", "#a", false, true), ("#a", "#a", false, false), ("\\!a", "!a", false, true),
    ("a\\ ", "a ", false, true), ("a  ", "a", false, true), ("x[0-9]", "x7", false, true),
    ("x[!0-9]", "x7", false, false), ("[[:upper:]]*", "Q", false, true),
    ("a\r\nb", "a", false, true), ("?", "é", false, false), ("*", "é", false, true),
  ])
  func `gitignore forms mean what gitignore says`(
    _ file: String, _ path: String, _ isDirectory: Bool, _ expected: Bool
  ) {
    #expect(
      Self.ignores([.root: Array(file.utf8)], PathKey(path)!, isDirectory: isDirectory)
        == expected)
  }

  @Test func `the nearest file decides and the configuration comes last`() {
    let outer = IgnoreScope(configured: ["*.csv", "*.tmp"])
    let root = outer.entering(.root, file: Array("!good.csv\n".utf8))
    let inner = root.entering("d", file: Array("good.csv\n!x.tmp\n".utf8))
    #expect(outer.ignores(("a.csv" as PathKey).bytes, isDirectory: false))
    #expect(!root.ignores(("good.csv" as PathKey).bytes, isDirectory: false))
    #expect(inner.ignores(("d/good.csv" as PathKey).bytes, isDirectory: false))
    #expect(!inner.ignores(("d/x.tmp" as PathKey).bytes, isDirectory: false))
    #expect(inner.ignores(("d/y.tmp" as PathKey).bytes, isDirectory: false))
  }

  @Test func `a glob of many stars takes no exponential time`() {
    let glob = String(repeating: "*a", count: 40) + "*/**/" + String(repeating: "**/", count: 20)
    let path = PathKey(String(repeating: "a", count: 200) + "/b")!
    #expect(
      !Self.ignores([.root: Array((glob + "c").utf8)], path, isDirectory: false))
  }

  private static let atoms: [[UInt8]] = [
    "a", "b", "ab", "foo", "*", "**", "?", "/", "/", "/**/", "[ab]", "[!a]", "[a-c]", "\\*",
    "\\a", "[[:alpha:]]", "[", "]", "-", "!", "#", " ", ".", "x\u{e9}", "[^b]", "[]-]", "\\",
  ].map { Array($0.utf8) }

  private static func pattern(_ random: inout SplitMix) -> [UInt8] {
    var bytes: [UInt8] = random.oneIn(5) ? [UInt8(ascii: "!")] : []
    if random.oneIn(4) { bytes.append(UInt8(ascii: "/")) }
    for _ in 0...random.below(4) {
      if random.oneIn(30) {
        bytes.append(UInt8.random(in: 128...255, using: &random))
      } else {
        bytes += atoms[random.below(atoms.count)]
      }
    }
    if random.oneIn(4) { bytes.append(UInt8(ascii: "/")) }
    return bytes
  }

  private static func ignoreFile(_ random: inout SplitMix) -> [UInt8] {
    var bytes: [UInt8] = []
    for _ in 0...random.below(5) {
      bytes += pattern(&random)
      if random.oneIn(20) { bytes.append(UInt8(ascii: "\r")) }
      bytes.append(UInt8(ascii: "\n"))
    }
    return bytes
  }

  @Test func `random patterns and paths are ignored as git check-ignore says`() throws {
    var random = SplitMix.fresh("ignore")
    for _ in 0..<25 {
      try withTemporaryDirectory { path in
        let sandbox = Sandbox(path: path)
        _ = try run(["git", "init", "-q"], in: path)
        var files: [PathKey: [UInt8]] = [:]
        var directories: [PathKey] = [.root]
        var paths: [(PathKey, Bool)] = []
        let names = ["a", "b", "ab", "foo", "c", "a]", "x\u{e9}", "#", "!a", "a b", "*"]
        for _ in 0..<60 {
          let parent = directories[random.below(directories.count)]
          let key = parent.appending(Array(names[random.below(names.count)].utf8))
          if paths.contains(where: { $0.0 == key }) { continue }
          let isDirectory = random.oneIn(3)
          if isDirectory {
            try sandbox.directory(key)
            directories.append(key)
          } else {
            try sandbox.write(key, [])
          }
          paths.append((key, isDirectory))
        }
        for directory in directories where directory.isRoot || random.oneIn(3) {
          let file = Self.ignoreFile(&random)
          files[directory] = file
          try sandbox.write(directory.appending(Array(".gitignore".utf8)), file)
        }
        let input: [UInt8] = paths.flatMap { $0.0.path + [0] }
        let output = try run(
          ["git", "check-ignore", "-z", "--stdin", "--no-index"], in: path, input: input)
        let ignored = Set(output.split(separator: 0).map(Array.init))
        for (key, isDirectory) in paths {
          let expected = ignored.contains(key.path)
          let found = Self.ignores(files, key, isDirectory: isDirectory)
          if expected != found {
            let shown = files.map { ($0.key.path, String(decoding: $0.value, as: UTF8.self)) }
            Issue.record(
              "\(Quoting.path(key.path)) directory: \(isDirectory), git: \(expected), \(shown)")
          }
        }
      }
    }
  }

  @Test func `what takes part is what a snapshot holds`() throws {
    try withTemporaryDirectory { base in
      let fixture = try FolderFixture(base, ignoring: ["*.part"])
      for name in ["d", "d/scratch", "d/scratch/in", "nested", "nested/.dtm"] as [PathKey] {
        try fixture.sandbox.directory(name)
      }
      try fixture.sandbox.write(".dtmignore", "scratch/\n")
      try fixture.sandbox.write("d/.dtmignore", "*.tmp\n!back.part\n")
      let files: [PathKey] = [
        "a", "a.part", "d/a", "d/a.tmp", "d/b.part", "d/back.part", "d/scratch/a", "d/scratch/in/a",
        "nested/a", "nested/.dtm/a",
      ]
      for file in files { try fixture.sandbox.write(file, "x") }
      let tree = try fixture.tree(try fixture.snapshot(fixture.scan()))
      let held = try files.filter { try tree.entry($0) != nil }
      #expect(held == ["a", "d/a", "d/back.part"])
      #expect(fixture.folder.takingPart(files, areDirectories: false) == held)
      #expect(fixture.folder.takingPart(files.reversed(), areDirectories: false) == held.reversed())
      #expect(
        fixture.folder.takingPart(["d", "d/scratch", "d/scratch/in"], areDirectories: true) == ["d"]
      )
    }
  }
}
