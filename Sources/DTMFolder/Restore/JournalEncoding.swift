internal import DTMRepository
internal import DTMSystem

/// The bytes of a restore's journal: one record with plan and intent, and one more when everything is
/// built. Not part of the repository's format: a journal is read by the programs that wrote it.
///
/// A file is `DTMRSTR1` and records: u32 length of the body, body, checksum of the body.
enum JournalEncoding {
  static let magic = Array("DTMRSTR1".utf8)
  private static let version: UInt64 = 1
  /// Of journals that have files which are written in place, with their contents.
  private static let inPlaceVersion: UInt64 = 2

  struct Contents {
    let plan: RestorePlan
    let intent: RestoreIntent
    /// Items that were given up while the rest was built; nil: not everything is built.
    let built: Set<Int>?
  }

  static func record(_ body: [UInt8]) -> [UInt8] {
    var writer = ByteWriter(reserving: body.count + 12)
    writer.u32(UInt32(body.count))
    writer.raw(body)
    writer.u64(Digest.checksum(body.span))
    return writer.bytes
  }

  /// What is not in the journal: items within new directories, which are done once those are.
  static func body(_ plan: RestorePlan, _ intent: RestoreIntent) -> [UInt8] {
    var writer = ByteWriter()
    let isInPlace = plan.items.contains { $0.action == .overwrite }
    writer.varint(isInPlace ? inPlaceVersion : version)
    writer.string(plan.name)
    write(intent, &writer)
    let tops = plan.items.enumerated().filter { needsRecord($0.element) }
    writer.varint(plan.items.indices.last.map { plan.number(of: $0) + 1 } ?? 0)
    writer.list(tops) { writer, element in
      let (index, item) = element
      writer.varint(plan.number(of: index))
      writer.u8(item.action.rawValue)
      writer.counted(item.key.bytes)
      write(item.old, &writer)
      write(item.new, &writer)
      writer.varint(item.container.map { plan.number(of: $0) + 1 } ?? 0)
      writer.u8(item.link == nil ? 0 : 1)
      if item.action == .overwrite {
        write(item.old?.content, &writer)
        write(item.new?.content, &writer)
      }
    }
    writer.list(plan.settlings) { writer, settling in
      writer.counted(settling.key.bytes)
      write(settling.old, &writer)
      write(settling.new, &writer)
      writer.u8(settling.isChange ? 1 : 0)
    }
    return writer.bytes
  }

  static func needsRecord(_ item: RestorePlan.Item) -> Bool {
    item.container == nil || item.new?.inodeFlags ?? 0 != 0
  }

  static func body(built skipped: Set<Int>) -> [UInt8] {
    var writer = ByteWriter()
    writer.list(skipped.sorted()) { $0.varint($1) }
    return writer.bytes
  }

  // MARK: - Reading

  static func decode(_ bytes: [UInt8]) throws(DecodingFailure) -> Contents {
    var reader = ByteReader(bytes)
    guard try reader.raw(min(magic.count, reader.remaining)) == magic else {
      throw reader.failure("it is no journal of a restore")
    }
    let body = try record(&reader)
    var inner = ByteReader(body)
    guard (version...inPlaceVersion).contains(try inner.varint()) else {
      throw inner.failure("it was written by another version")
    }
    let name = try inner.string()
    let intent = try intent(&inner)
    let (plan, items) = try plan(&inner, name: name)
    guard inner.isAtEnd else { throw inner.failure("\(inner.remaining) bytes too many") }
    // A second record that is torn says nothing: not everything is built.
    var built: Set<Int>?
    do throws(DecodingFailure) {
      if !reader.isAtEnd {
        var second = ByteReader(try record(&reader))
        let skipped = try second.list { reader throws(DecodingFailure) in try reader.int() }
        built = Set(skipped.compactMap { items.index(of: $0) })
      }
    } catch { built = nil }
    return Contents(plan: plan, intent: intent, built: built)
  }

  private static func record(_ reader: inout ByteReader) throws(DecodingFailure) -> [UInt8] {
    let body = try reader.raw(Int(try reader.u32()))
    guard try reader.u64() == Digest.checksum(body.span) else {
      throw reader.failure("its checksum is wrong")
    }
    return body
  }

  private static func plan(
    _ reader: inout ByteReader, name: String
  ) throws(DecodingFailure) -> (RestorePlan, RecordedItems) {
    let count = try reader.int(limit: Int(UInt32.max))
    var items = RecordedItems()
    for _ in 0..<(try reader.count(minimumLength: 7)) {
      let number = try reader.int(limit: count)
      guard let action = RestorePlan.Action(rawValue: try reader.u8()) else {
        throw reader.failure("an unknown action")
      }
      let key = PathKey(bytes: try reader.counted())
      var old = try entry(&reader, key)
      var new = try entry(&reader, key)
      let container = try reader.int(limit: count)
      let isLink = try reader.u8() == 1
      if action == .overwrite {
        guard old?.kind == .file, new?.kind == .file else {
          throw reader.failure("only a file is written in place")
        }
        old?.content = try content(&reader)
        new?.content = try content(&reader)
      }
      let item = RestorePlan.Item(
        key: key, action: action, old: old, new: new, container: nil,
        link: isLink ? .existing(key) : nil, number: number)
      guard items.append(item, container: container == 0 ? nil : container - 1) else {
        throw reader.failure("item \(number) is out of order, or not in its directory")
      }
    }
    let settlings = try reader.list(minimumLength: 4) { reader throws(DecodingFailure) in
      let key = PathKey(bytes: try reader.counted())
      return RestorePlan.Settling(
        key: key, old: try entry(&reader, key), new: try entry(&reader, key),
        isChange: try reader.u8() == 1)
    }
    let plan = RestorePlan(
      name: name, items: items.items, settlings: settlings, problems: [])
    return (plan, items)
  }

  // MARK: - Intent

  private static func write(_ intent: RestoreIntent, _ writer: inout ByteWriter) {
    writer.string(intent.kind)
    writer.string(intent.summary)
    writer.string(intent.branch ?? "")
    writer.string(intent.newBranchFrom?.hex ?? "")
    writer.varint(intent.undoes ?? 0)
    writer.string(intent.before?.hex ?? "")
    writer.list(intent.targets) {
      $0.counted($1.path.bytes)
      $0.id($1.snapshot)
    }
    writer.u8(intent.keepsAdded ? 1 : 0)
    writer.string(intent.host)
    writer.string(intent.user)
    writer.string(intent.writerVersion)
  }

  private static func intent(_ reader: inout ByteReader) throws(DecodingFailure) -> RestoreIntent {
    var intent = RestoreIntent(kind: try reader.string(), summary: try reader.string())
    let branch = try reader.string()
    intent.branch = branch.isEmpty ? nil : branch
    intent.newBranchFrom = ObjectID(hex: try reader.string())
    let undoes = try reader.varint()
    intent.undoes = undoes == 0 ? nil : undoes
    intent.before = ObjectID(hex: try reader.string())
    intent.targets = try reader.list(minimumLength: 33) { reader throws(DecodingFailure) in
      RestoreIntent.Target(
        path: PathKey(bytes: try reader.counted()), snapshot: try reader.id())
    }
    intent.keepsAdded = try reader.u8() == 1
    intent.host = try reader.string()
    intent.user = try reader.string()
    intent.writerVersion = try reader.string()
    return intent
  }

  // MARK: - Contents of files

  private static func write(_ content: Content?, _ writer: inout ByteWriter) {
    switch content {
    case .inline(let bytes):
      writer.u8(1)
      writer.counted(bytes)
    case .chunk(let id):
      writer.u8(2)
      writer.id(id)
    case .list(let id):
      writer.u8(3)
      writer.id(id)
    case nil, .some(.none), .target, .device: writer.u8(0)
    }
  }

  private static func content(_ reader: inout ByteReader) throws(DecodingFailure) -> Content {
    switch try reader.u8() {
    case 0: return .none
    case 1: return .inline(try reader.counted())
    case 2: return .chunk(try reader.id())
    case 3: return .list(try reader.id())
    default: throw reader.failure("an unknown form of content")
    }
  }

  // MARK: - Entries, without their content

  private static func write(_ entry: TreeEntry?, _ writer: inout ByteWriter) {
    guard let entry else { return writer.u8(0) }
    writer.u8(entry.kind.rawValue)
    writer.varint(UInt64(entry.permissions))
    writer.varint(UInt64(entry.owner.id))
    writer.varint(UInt64(entry.group.id))
    writer.svarint(entry.modified.seconds)
    writer.varint(UInt64(entry.modified.nanoseconds))
    writer.varint(entry.size)
    writer.varint(UInt64(entry.inodeFlags))
    switch entry.attributes {
    case .none: writer.u8(0)
    case .inline(let bytes):
      writer.u8(1)
      writer.counted(bytes)
    case .object(let id):
      writer.u8(2)
      writer.id(id)
    }
  }

  private static func entry(
    _ reader: inout ByteReader, _ key: PathKey
  ) throws(DecodingFailure) -> TreeEntry? {
    let kindNumber = try reader.u8()
    if kindNumber == 0 { return nil }
    guard let kind = FileKind(rawValue: kindNumber) else {
      throw reader.failure("an unknown kind of entry")
    }
    func number(_ reader: inout ByteReader) throws(DecodingFailure) -> UInt32 {
      UInt32(try reader.int(limit: Int(UInt32.max)))
    }
    var entry = TreeEntry(key: key, kind: kind)
    entry.permissions = try number(&reader)
    entry.owner = Owner(id: try number(&reader))
    entry.group = Owner(id: try number(&reader))
    let seconds = try reader.svarint()
    entry.modified = FileTime(seconds: seconds, nanoseconds: try number(&reader))
    entry.size = try reader.varint()
    entry.inodeFlags = try number(&reader)
    switch try reader.u8() {
    case 0: entry.attributes = .none
    case 1: entry.attributes = .inline(try reader.counted())
    case 2: entry.attributes = .object(try reader.id())
    default: throw reader.failure("an unknown form of attributes")
    }
    return entry
  }
}
