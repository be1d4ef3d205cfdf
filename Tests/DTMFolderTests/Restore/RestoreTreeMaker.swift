import DTMFolder
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage

/// Makes random trees on disk, and changes them at random.
struct RestoreTreeMaker {
  var generator: SplitMix
  let root: FilePath
  /// Owners can be changed by root only.
  let isRoot = geteuid() == 0

  init(_ root: FilePath, _ generator: SplitMix) {
    self.root = root
    self.generator = generator
  }

  /// Makes up to `count` entries more, of all kinds.
  mutating func grow(_ count: Int) throws {
    var directories = [[UInt8]](repeating: [], count: 1)
    var files: [[UInt8]] = []
    try collect(&directories, &files)
    for _ in 0..<count {
      let parent = directories[generator.below(directories.count)]
      let path = parent + (parent.isEmpty ? [] : [UInt8(ascii: "/")]) + name()
      if exists(path) { continue }
      switch generator.below(12) {
      case 0, 1:
        try directory().makeDirectory(path, mode: 0o755)
        directories.append(path)
      case 2: try directory().makeLink(path, to: Array("target \(generator.below(9))".utf8))
      case 3: try directory().makeSpecial(path, .fifo)
      case 4 where !files.isEmpty:
        let other = try directory().open(files[generator.below(files.count)], [.path])
        try directory().link(other, as: path)
        files.append(path)
      case 5: try writeSparse(path)
      default: try write(path)
      }
      if exists(path), try directory().status(of: path).kind == .file { files.append(path) }
    }
  }

  /// Changes about `count` entries: content, metadata, kind, names.
  mutating func change(_ count: Int) throws {
    for _ in 0..<count {
      var directories: [[UInt8]] = []
      var files: [[UInt8]] = []
      try collect(&directories, &files)
      let all = directories.dropFirst(0) + files
      guard !all.isEmpty else { break }
      let path = all[all.startIndex + generator.below(all.count)]
      if !exists(path) { continue }
      let kind = try directory().status(of: path).kind
      switch generator.below(8) {
      case 0: try remove(path)
      case 1 where kind == .directory:
        try remove(path)
        try write(path)
      case 1:
        try remove(path)
        try directory().makeDirectory(path, mode: 0o700)
        try write(path + Array("/inner".utf8))
      case 2:
        try remove(path)
        try directory().makeLink(path, to: [0xFF, UInt8(ascii: "x")])
      case 3 where kind == .file: try append(path)
      case 4 where kind == .file: try overwrite(path)
      case 5 where kind == .file || kind == .directory:
        try directory().openBeneath(path, [.readOnly]).setPermissions(
          [0o600, 0o640, 0o755, 0o700, 0o4755][generator.below(5)])
      case 6 where isRoot:
        let owner = UInt32(generator.below(3) + 1000)
        try directory().open(path, [.path, .noFollow]).setOwner(user: owner, group: owner)
      default:
        if kind == .file {
          try directory().open(path, [.path]).setModified(time())
        } else {
          try remove(path)
        }
      }
    }
    try grow(count / 2)
  }

  /// Gives every entry a time of its own, directories too; some before 1970.
  mutating func settleTimes() throws {
    var all: [[UInt8]] = []
    try collectAll(&all)
    for path in all.reversed() {
      try directory().open(path, [.path, .noFollow]).setModified(time())
    }
    try directory().setModified(time())
  }

  // MARK: -

  private func directory() throws -> Descriptor {
    try Descriptor.open(root, [.readOnly, .directory])
  }

  private func exists(_ path: [UInt8]) -> Bool {
    do { return try directory().status(of: path).kind != nil } catch { return false }
  }

  private mutating func time() -> FileTime {
    FileTime(
      seconds: Int64(generator.below(2_000_000_000)) - 300_000_000,
      nanoseconds: UInt32(generator.below(1_000_000_000)))
  }

  private mutating func name() -> [UInt8] {
    if generator.oneIn(20) { return [UInt8](repeating: UInt8(ascii: "n"), count: 255) }
    var name: [UInt8] = []
    for _ in 0...generator.below(6) {
      let byte =
        generator.oneIn(3) ? UInt8(generator.below(255) + 1) : UInt8(97 + generator.below(4))
      name.append(byte == UInt8(ascii: "/") ? UInt8(ascii: "_") : byte)
    }
    return name == [0x2E] || name == [0x2E, 0x2E] ? [UInt8(ascii: "d")] : name
  }

  private mutating func bytes() -> [UInt8] {
    let sizes = [0, 1, 100, 128, 129, 5000, 20_000, 300_000]
    let length = sizes[generator.below(sizes.count)]
    var bytes: [UInt8] = []
    bytes.reserveCapacity(length)
    while bytes.count < length {
      let word = generator.next()
      for shift in stride(from: UInt64(0), to: 64, by: 8) where bytes.count < length {
        bytes.append(UInt8(truncatingIfNeeded: word >> shift))
      }
    }
    return bytes
  }

  private mutating func write(_ path: [UInt8]) throws {
    let file = try directory().open(path, [.writeOnly, .create, .truncate, .noFollow], mode: 0o644)
    try file.write(bytes(), at: 0)
  }

  private mutating func writeSparse(_ path: [UInt8]) throws {
    let file = try directory().open(
      path, [.writeOnly, .create, .exclusive, .noFollow], mode: 0o644)
    if generator.oneIn(2) { try file.write(bytes(), at: 0) }
    if generator.oneIn(2) { try file.write(bytes(), at: 900_000) }
    try file.truncate(to: 1_000_000 + generator.below(900_000))
  }

  private mutating func append(_ path: [UInt8]) throws {
    let file = try directory().open(path, [.writeOnly, .noFollow])
    try file.write(bytes(), at: Int(try file.status().size))
  }

  /// Writes into the middle, which leaves the size.
  private mutating func overwrite(_ path: [UInt8]) throws {
    let file = try directory().open(path, [.writeOnly, .noFollow])
    let size = Int(try file.status().size)
    try file.write([UInt8(generator.below(255))], at: size / 2)
  }

  private func remove(_ path: [UInt8]) throws {
    if try directory().status(of: path).kind == .directory {
      try removeTree(root.appending(bytes: path))
    } else {
      try directory().remove(path)
    }
  }

  private func collect(_ directories: inout [[UInt8]], _ files: inout [[UInt8]]) throws {
    var all: [[UInt8]] = []
    try collectAll(&all)
    for path in all {
      switch try directory().status(of: path).kind {
      case .directory: directories.append(path)
      case .file: files.append(path)
      default: break
      }
    }
  }

  private func collectAll(_ all: inout [[UInt8]]) throws {
    func visit(_ directory: borrowing Descriptor, _ prefix: [UInt8]) throws {
      var names: [[UInt8]] = []
      try directory.forEachEntry { entry throws(Errno) in names.append(entry.name) }
      for name in names.sorted(by: { $0.lexicographicallyPrecedes($1) })
      where !(prefix.isEmpty && name == Array(".dtm".utf8)) {
        all.append(prefix + name)
        if try directory.status(of: name).kind == .directory {
          try visit(
            directory.open(name, [.readOnly, .directory, .noFollow]),
            prefix + name + [UInt8(ascii: "/")])
        }
      }
    }
    try visit(directory(), [])
  }
}

extension FilePath {
  /// A path beneath this one whose components may be any bytes.
  func appending(bytes: [UInt8]) -> FilePath {
    unsafe withPlatformString { base in
      var path = unsafe [CChar](UnsafeBufferPointer(start: base, count: strlen(base)))
      path.append(CChar(UInt8(ascii: "/")))
      path += bytes.map { CChar(bitPattern: $0) }
      path.append(0)
      return unsafe path.withUnsafeBufferPointer { buffer in
        guard let start = buffer.baseAddress else { return self }
        return unsafe FilePath(platformString: start)
      }
    }
  }
}
