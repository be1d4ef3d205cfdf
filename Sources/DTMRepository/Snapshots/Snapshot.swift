package import DTMSystem

/// The state of a folder at one time, with what vouches for it (format: Snapshots).
package struct Snapshot: Hashable, Sendable {
  /// What vouches that nothing was missed.
  package enum Basis: String, Sendable {
    /// A watcher that saw every change since the parent.
    case events
    /// Every entry was looked at by stat.
    case scan
    /// Every file was read.
    case full
  }

  /// A path that the snapshot does not hold as it is.
  package struct Problem: Hashable, Sendable {
    /// `unreadable`: its last known content stands in the tree. `changing`: never the same twice while it
    /// was read. `unsupported`: something of it can't be recorded.
    package enum Kind: String, Sendable {
      case unreadable, changing, unsupported
    }
    /// Which path, and what is the matter.
    package let key: PathKey
    package let kind: Kind
    /// For people: why.
    package let detail: String

    package init(key: PathKey, kind: Kind, detail: String) {
      self.key = key
      self.kind = kind
      self.detail = detail
    }
  }

  /// Counts of the tree, and against the parent (directories only when added or removed).
  package struct Counts: Hashable, Sendable {
    /// Regular files, and their bytes.
    package var files = 0
    package var bytes = 0
    /// Everything but the folder itself.
    package var entries = 0
    /// Entries against the parent.
    package var added = 0
    package var modified = 0
    package var removed = 0
    /// Files captured in this snapshot, by what vouches for them.
    package var proven = 0
    package var stable = 0

    package init() {}
  }

  /// The tree's root page.
  package var tree: ObjectID
  package var parent: ObjectID?
  package var branch: String
  package var time: Timestamp
  package var message = ""
  /// `manual`, `quiet`, `atMost`, …
  package var trigger: String
  package var rules: [String] = []
  package var labels: [String: String] = [:]
  package var host = ""
  package var user = ""
  package var counts = Counts()
  /// In key order.
  package var problems: [Problem] = []
  package var basis: Basis
  /// The watcher's clocks at which the changes in it begin and end; empty without a watcher.
  package var baseClock = ""
  package var endClock = ""
  /// Keys that nothing vouches for, in order; their last known content is carried forward.
  package var uncovered: [PathKey] = []
  /// Keys captured while somebody had them open for writing, in order.
  package var hot: [PathKey] = []
  package var writerVersion = ""
  package var folder: PackID

  package init(
    tree: ObjectID, parent: ObjectID?, branch: String, time: Timestamp, trigger: String,
    basis: Basis, folder: PackID
  ) {
    self.tree = tree
    self.parent = parent
    self.branch = branch
    self.time = time
    self.trigger = trigger
    self.basis = basis
    self.folder = folder
  }

  /// Whether it holds the folder with nothing left out or in doubt.
  package var isComplete: Bool { problems.isEmpty && uncovered.isEmpty }

  /// The encoding's id.
  package var id: ObjectID { Digest.id(.snapshot, encoded) }
}

extension Snapshot {
  /// The object's bytes, as Format.md has them; its id is their digest.
  package var encoded: [UInt8] {
    var writer = ByteWriter()
    writer.field(1) { $0.id(tree) }
    if let parent { writer.field(2) { $0.id(parent) } }
    if !branch.isEmpty { writer.field(3) { $0.string(branch) } }
    if time.seconds != 0 || time.nanoseconds != 0 {
      writer.field(4) {
        $0.svarint(time.seconds)
        $0.varint(UInt64(time.nanoseconds))
      }
    }
    if !message.isEmpty { writer.field(5) { $0.string(message) } }
    if !trigger.isEmpty { writer.field(6) { $0.string(trigger) } }
    if !rules.isEmpty { writer.field(7) { $0.list(rules) { $0.string($1) } } }
    if !labels.isEmpty {
      let sorted = labels.sorted {
        Array($0.key.utf8).lexicographicallyPrecedes(Array($1.key.utf8))
      }
      writer.field(8) {
        $0.list(sorted) {
          $0.string($1.key)
          $0.string($1.value)
        }
      }
    }
    if !host.isEmpty { writer.field(9) { $0.string(host) } }
    if !user.isEmpty { writer.field(10) { $0.string(user) } }
    Self.numbers(11, [counts.files, counts.bytes, counts.entries], &writer)
    Self.numbers(12, [counts.added, counts.modified, counts.removed], &writer)
    if !problems.isEmpty {
      writer.field(13) {
        $0.list(problems) {
          $0.counted($1.key.bytes)
          $0.string($1.kind.rawValue)
          $0.string($1.detail)
        }
      }
    }
    writer.field(14) { $0.string(basis.rawValue) }
    if !(baseClock.isEmpty && endClock.isEmpty) {
      writer.field(15) {
        $0.string(baseClock)
        $0.string(endClock)
      }
    }
    if !uncovered.isEmpty { writer.field(16) { $0.list(uncovered) { $0.counted($1.bytes) } } }
    if !hot.isEmpty { writer.field(17) { $0.list(hot) { $0.counted($1.bytes) } } }
    if !writerVersion.isEmpty { writer.field(18) { $0.string(writerVersion) } }
    writer.field(19) { $0.string(folder.hex) }
    Self.numbers(20, [counts.proven, counts.stable], &writer)
    return writer.bytes
  }

  /// A field of numbers; absent when all are zero.
  private static func numbers(_ field: Int, _ values: [Int], _ writer: inout ByteWriter) {
    if values.allSatisfy({ $0 == 0 }) { return }
    writer.field(field) { for value in values { $0.varint(value) } }
  }

  /// Decodes a snapshot that was read by its id. Throws `.corrupt`.
  package init(decoding bytes: [UInt8], id: ObjectID) throws(RepositoryError) {
    do throws(DecodingFailure) {
      try self.init(decoding: bytes)
    } catch {
      throw RepositoryError(error, of: "snapshot \(id)", object: id)
    }
  }

  private init(decoding bytes: [UInt8]) throws(DecodingFailure) {
    var reader = ByteReader(bytes)
    var tree: ObjectID?
    var folder: PackID?
    var found = Snapshot(
      tree: ObjectID(words: (0, 0, 0, 0)), parent: nil, branch: "",
      time: Timestamp(seconds: 0), trigger: "", basis: .scan, folder: PackID.zero)
    try reader.fields { number, value throws(DecodingFailure) in
      switch number {
      case 1: tree = try value.id()
      case 2: found.parent = try value.id()
      case 3: found.branch = try value.string()
      case 4:
        let seconds = try value.svarint()
        found.time = Timestamp(
          seconds: seconds, nanoseconds: UInt32(try value.int(limit: 999_999_999)))
      case 5: found.message = try value.string()
      case 6: found.trigger = try value.string()
      case 7: found.rules = try value.list { reader throws(DecodingFailure) in try reader.string() }
      case 8: found.labels = try Self.labels(&value)
      case 9: found.host = try value.string()
      case 10: found.user = try value.string()
      case 11:
        found.counts.files = try value.int()
        found.counts.bytes = try value.int()
        found.counts.entries = try value.int()
      case 12:
        found.counts.added = try value.int()
        found.counts.modified = try value.int()
        found.counts.removed = try value.int()
      case 13: found.problems = try Self.problems(&value)
      case 14:
        guard let basis = Basis(rawValue: try value.string()) else {
          throw value.failure("an unknown basis")
        }
        found.basis = basis
      case 15:
        found.baseClock = try value.string()
        found.endClock = try value.string()
      case 16: found.uncovered = try Self.keys(&value)
      case 17: found.hot = try Self.keys(&value)
      case 18: found.writerVersion = try value.string()
      case 19: folder = PackID(hex: try value.string())
      case 20:
        found.counts.proven = try value.int()
        found.counts.stable = try value.int()
      default: break
      }
    }
    guard let tree, let folder else { throw reader.failure("no tree or no folder is named") }
    found.tree = tree
    found.folder = folder
    self = found
  }

  private static func labels(
    _ reader: inout ByteReader
  ) throws(DecodingFailure) -> [String: String] {
    let pairs = try reader.list(minimumLength: 2) { reader throws(DecodingFailure) in
      (try reader.string(), try reader.string())
    }
    return Dictionary(pairs) { _, last in last }
  }

  private static func problems(_ reader: inout ByteReader) throws(DecodingFailure) -> [Problem] {
    try reader.list(minimumLength: 3) { reader throws(DecodingFailure) in
      let key = PathKey(bytes: try reader.counted())
      guard let kind = Problem.Kind(rawValue: try reader.string()) else {
        throw reader.failure("a problem of unknown kind")
      }
      return Problem(key: key, kind: kind, detail: try reader.string())
    }
  }

  private static func keys(_ reader: inout ByteReader) throws(DecodingFailure) -> [PathKey] {
    try reader.list { reader throws(DecodingFailure) in PathKey(bytes: try reader.counted()) }
  }
}
