import DTMFolder
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

struct ScannerTests {
  private static func scan(
    _ path: FilePath, configured: [String] = [], usesHelper: Bool = true
  ) throws -> [ScanStep] {
    let root = try FolderRoot(path)
    var steps: [ScanStep] = []
    let scanner = Scanner(
      root, ignoring: IgnoreScope(configured: configured), usesHelper: usesHelper)
    scanner.forEach { steps.append($0) }
    return steps
  }

  private static func keys(_ steps: [ScanStep]) -> [PathKey] {
    steps.filter { $0.finding == .entry }.map(\.key)
  }

  /// A random tree; returns its keys.
  private static func fill(
    _ sandbox: Sandbox, _ random: inout SplitMix, entries: Int
  ) throws -> [PathKey] {
    var directories: [PathKey] = [.root]
    var keys: Set<PathKey> = []
    for _ in 0..<entries {
      let parent = directories[random.below(directories.count)]
      let name = (0...random.below(random.oneIn(10) ? 200 : 6)).map { _ in
        var byte: UInt8 = 0
        while byte == 0 || byte == UInt8(ascii: "/") {
          byte = UInt8.random(in: 1...255, using: &random)
        }
        return byte
      }
      if name == Array(".".utf8) || name == Array("..".utf8) { continue }
      let key = parent.appending(name)
      if keys.contains(key) { continue }
      switch random.below(6) {
      case 0:
        try sandbox.directory(key)
        directories.append(key)
      case 1: try sandbox.symlink(key, to: Array("nowhere".utf8))
      default: try sandbox.write(key, [1, 2, 3])
      }
      keys.insert(key)
    }
    return keys.sorted()
  }

  @Test(arguments: [true, false])
  func `everything is told once, in key order`(_ usesHelper: Bool) throws {
    var random = SplitMix.fresh("scanner")
    for _ in 0..<4 {
      try withTemporaryDirectory { path in
        let expected = try Self.fill(Sandbox(path: path), &random, entries: 500)
        let found = Self.keys(try Self.scan(path, usesHelper: usesHelper))
        #expect(found == expected)
      }
    }
  }

  @Test func `a large directory is told whole, in order, whoever looks at it`() throws {
    try withTemporaryDirectory { path in
      let sandbox = Sandbox(path: path)
      var expected: [PathKey] = []
      for index in 0..<5000 {
        let key = PathKey("f\(index)")!
        if index % 100 == 0 {
          try sandbox.directory(key)
          let inner = key.appending(Array("x".utf8))
          try sandbox.write(inner, [])
          expected.append(inner)
        } else {
          try sandbox.write(key, [])
        }
        expected.append(key)
      }
      #expect(Self.keys(try Self.scan(path)) == expected.sorted())
    }
  }

  @Test func `status is what stat says`() throws {
    try withTemporaryDirectory { path in
      let sandbox = Sandbox(path: path)
      try sandbox.write("f", "12345")
      try sandbox.setTime("f", seconds: -5, nanoseconds: 7)
      let step = try Self.scan(path)[0]
      #expect(try step.status == sandbox.status("f"))
      #expect(step.status?.modified == FileTime(seconds: -5, nanoseconds: 7))
    }
  }

  @Test func `a deep tree needs few descriptors and no path of its length`() throws {
    try withTemporaryDirectory { path in
      // 400 levels of 40 bytes: 16,000 bytes of path; longer than PATH_MAX and than 1,024 files.
      let name = [UInt8](repeating: UInt8(ascii: "d"), count: 40)
      var directory = try Descriptor.open(path, [.readOnly, .directory])
      for _ in 0..<400 {
        let number = directory.rawValue
        try unsafe withCString(of: name) { pointer throws(Errno) in
          if unsafe mkdirat(number, pointer, 0o755) != 0 { throw .current }
        }
        directory = try directory.open(name, [.readOnly, .directory])
      }
      let steps = try Self.scan(path)
      #expect(Self.keys(steps).count == 400)
      #expect(steps.last?.key.components.count == 400)
    }
  }

  @Test func `the folder's own repository is left out, and folders within are not entered`() throws
  {
    try withTemporaryDirectory { path in
      let sandbox = Sandbox(path: path)
      try sandbox.directory(".dtm")
      try sandbox.write(".dtm/format.json", "x")
      try sandbox.directory("inner")
      try sandbox.directory("inner/.dtm")
      try sandbox.write("inner/data", "x")
      try sandbox.directory("outer")
      try sandbox.directory("outer/by-file")
      try sandbox.write("outer/by-file/.dtm", "{}")
      try sandbox.write("z", "")
      let steps = try Self.scan(path)
      #expect(Self.keys(steps) == ["inner", "outer", "outer/by-file", "z"])
      #expect(steps.filter { $0.finding == .nested }.map(\.key) == ["inner", "outer/by-file"])
    }
  }

  @Test func `links are not followed`() throws {
    try withTemporaryDirectory { path in
      let sandbox = Sandbox(path: path)
      try sandbox.directory("real")
      try sandbox.write("real/f", "")
      try sandbox.symlink("alias", to: Array("real".utf8))
      #expect(Self.keys(try Self.scan(path)) == ["alias", "real", "real/f"])
    }
  }

  @Test func `ignored paths are left out and never entered`() throws {
    try withTemporaryDirectory { path in
      let sandbox = Sandbox(path: path)
      try sandbox.write(".dtmignore", "*.tmp\n/cache/\n")
      for name in ["a.tmp", "a", "keep.tmp"] { try sandbox.write(PathKey(name)!, "") }
      try sandbox.directory("cache")
      try sandbox.write("cache/x", "")
      try sandbox.directory("d")
      try sandbox.write("d/.dtmignore", "!keep.tmp\n")
      try sandbox.write("d/keep.tmp", "")
      try sandbox.write("d/b.part", "")
      let found = Self.keys(try Self.scan(path, configured: ["*.part"]))
      #expect(found == [".dtmignore", "a", "d", "d/.dtmignore", "d/keep.tmp"])
    }
  }

  @Test func `a directory that can't be listed is told, and what is beside it`() throws {
    try withTemporaryDirectory { path in
      let sandbox = Sandbox(path: path)
      try sandbox.chmod(.root, 0o755)
      try sandbox.directory("closed", mode: 0o700)
      try sandbox.write("closed/f", "")
      try sandbox.directory("half")
      try sandbox.write("half/f", "")
      try sandbox.chmod("half", 0o744)
      try sandbox.write("z", "")
      let steps = try asStranger { try Self.scan(path) }
      #expect(Self.keys(steps) == ["closed", "half", "z"])
      let unreadable = steps.filter { $0.finding == .unreadableContent(.permissionDenied) }
      #expect(unreadable.map(\.key) == ["closed"])
      #expect(
        steps.filter { $0.finding == .unreadable(.permissionDenied) }.map(\.key) == ["half/f"])
    }
  }

  @Test func `a file system mounted in the folder is told and not entered`() throws {
    try withTemporaryDirectory { path in
      let sandbox = Sandbox(path: path)
      try sandbox.directory("m")
      try sandbox.write("z", "")
      try withTmpfs(at: path.appending("m")) {
        try sandbox.write("m/inside", "")
        let steps = try Self.scan(path)
        #expect(Self.keys(steps) == ["z"])
        #expect(steps.filter { $0.finding == .mounted }.map(\.key) == ["m"])
      }
    }
  }
}
