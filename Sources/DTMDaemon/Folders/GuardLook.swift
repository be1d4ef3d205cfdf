internal import DTMRepository
internal import DTMRules
internal import DTMSystem

/// Looks closely at what changed between two snapshots: the evidence of a guard.
///
/// Reads the differing pages of both trees twice, and the first bytes of a bounded number of files.
struct GuardLook {
  /// Files of each sort whose content is looked at; the rest is inferred.
  private static let samples = 128
  /// Entries of Delta tables' logs that are read, and bytes of each.
  private static let logLimit = 64

  private let objects: any ObjectReader
  private let old: Tree
  private let new: Tree
  private var balance = GuardBalance()
  /// The first bytes of the ids of all content that is new somewhere.
  private var newContent: Set<UInt64> = []
  private var changed = StridedSample<(old: TreeEntry, new: TreeEntry)>(limit: samples)
  private var added = StridedSample<TreeEntry>(limit: samples)
  private var logsRead = 0

  init(_ objects: any ObjectReader, from old: ObjectID, to new: ObjectID) {
    self.objects = objects
    self.old = Tree(root: old, objects: objects)
    self.new = Tree(root: new, objects: objects)
  }

  /// `files`: that were there before.
  mutating func evidence(files: Int) throws(RepositoryError) -> GuardEvidence {
    try seeWhatIsNew()
    try seeWhatIsLost()
    var evidence = GuardEvidence(files: files)
    let noise = try noiseAmongAdded()
    evidence.areNewOnesNoise = noise >= 0.5 && added.count >= changed.count
    evidence.gone = balance.lostFiles
    evidence.missing = balance.missing(trust: 1 - noise)
    try judgeChanged(&evidence)
    return evidence
  }

  // MARK: - The trees

  private mutating func seeWhatIsNew() throws(RepositoryError) {
    var look = self
    try new.forEachDifference(from: old) { difference throws(RepositoryError) in
      guard let entry = difference.new, entry.kind == .file else { return true }
      let before = difference.old?.kind == .file ? difference.old : nil
      if before?.content == entry.content { return true }
      if entry.size > 0 { look.newContent.insert(Self.mark(entry.content)) }
      if before == nil {
        look.balance.added(entry.key, bytes: Int(clamping: entry.size))
        if entry.size > 0 { look.added.offer(entry) }
      }
      try look.seeLog(entry)
      return true
    }
    self = look
  }

  private mutating func seeWhatIsLost() throws(RepositoryError) {
    var look = self
    try new.forEachDifference(from: old) { difference throws(RepositoryError) in
      guard let before = difference.old, before.kind == .file else { return true }
      let after = difference.new?.kind == .file ? difference.new : nil
      if after?.content == before.content { return true }
      if let after, after.size > 0 {
        look.balance.changed(
          before.key, grownBy: Int(clamping: after.size) - Int(clamping: before.size))
        if before.size > 0 { look.changed.offer((before, after)) }
        return true
      }
      // An empty file is no loss, nor is one that is elsewhere now.
      if before.size > 0, !look.newContent.contains(Self.mark(before.content)) {
        look.balance.lost(before.key, bytes: Int(clamping: before.size))
      }
      return true
    }
    self = look
  }

  private static func mark(_ content: Content) -> UInt64 {
    switch content {
    case .chunk(let id), .list(let id): id.words.0
    case .inline(let bytes): RuleMemory.mark([bytes])
    case .none, .target, .device: 0
    }
  }

  /// What tells that files were removed on purpose: git's log of where a work tree's HEAD went, and a
  /// vacuum in a Delta table's log.
  private mutating func seeLog(_ entry: TreeEntry) throws(RepositoryError) {
    let components = entry.key.components
    if components.last == Array("HEAD".utf8),
      let place = components.firstIndex(of: Array(".git".utf8)),
      components.count == place + 2 || components[place + 1] == Array("logs".utf8)
    {
      balance.excuse(beneath: Self.key(components[..<place]))
    }
    if components.count >= 2, components[components.count - 2] == Array("_delta_log".utf8),
      entry.key.name.suffix(5).elementsEqual(".json".utf8), logsRead < Self.logLimit
    {
      logsRead += 1
      let text = String(decoding: try head(of: entry), as: UTF8.self)
      if text.contains("VACUUM") { balance.excuse(beneath: Self.key(components.dropLast(2))) }
    }
  }

  private static func key(_ components: ArraySlice<[UInt8]>) -> PathKey {
    PathKey(bytes: Array(components.joined(separator: [0])))
  }

  // MARK: - Contents

  /// The part of the new files that is noise, from 0 to 1.
  private func noiseAmongAdded() throws(RepositoryError) -> Double {
    if added.elements.isEmpty { return 0 }
    var noise = 0
    for entry in added.elements where try kind(of: entry) == .noise { noise += 1 }
    return Double(noise) / Double(added.elements.count)
  }

  private func judgeChanged(_ evidence: inout GuardEvidence) throws(RepositoryError) {
    let pairs = changed.elements
    if pairs.isEmpty { return }
    var turns: [ContentKind.Turn: Int] = [:]
    // A message, say, that is written over everything.
    let sames = Dictionary(grouping: pairs) { $0.new.content }
    let most = sames.values.first { same in
      same.count * 2 > pairs.count && same.count > 8
        && Set(same.map(\.old.content)).count * 2 > same.count
    }
    for pair in pairs {
      let isSame = most?.first?.new.content == pair.new.content
      let turn: ContentKind.Turn =
        isSame ? .blanked : try kind(of: pair.new).turn(from: kind(of: pair.old))
      turns[turn, default: 0] += 1
    }
    let scale = Double(changed.count) / Double(pairs.count)
    func inferred(_ turn: ContentKind.Turn) -> Int { Int(Double(turns[turn] ?? 0) * scale) }
    evidence.blanked = inferred(.blanked)
    evidence.noise = inferred(.noise)
    evidence.unlike = inferred(.unlike)
  }

  private func kind(of entry: TreeEntry) throws(RepositoryError) -> ContentKind {
    ContentKind(try head(of: entry))
  }

  /// The first bytes of a file.
  private func head(of entry: TreeEntry) throws(RepositoryError) -> [UInt8] {
    let reader = ContentReader(objects)
    var bytes: [UInt8] = []
    let limit = ContentKind.sampleInBytes
    try reader.forEachPart(of: entry.content, size: entry.size) { part throws(RepositoryError) in
      if bytes.count >= limit { return }
      let room = limit - bytes.count
      switch part.source {
      case .bytes(let part): bytes += part.prefix(room)
      case .chunk(let id): bytes += try reader.chunk(id, length: part.length).prefix(room)
      case .hole: bytes += [UInt8](repeating: 0, count: min(room, part.length))
      }
    }
    return bytes
  }
}

/// Keeps a bounded number of many elements, evenly taken.
struct StridedSample<Element> {
  private(set) var elements: [Element] = []
  /// How many were offered.
  private(set) var count = 0
  private let limit: Int
  private var stride = 1

  init(limit: Int) {
    self.limit = limit
  }

  mutating func offer(_ element: Element) {
    defer { count += 1 }
    if count % stride != 0 { return }
    if elements.count == limit {
      // Every second one stays, and of what follows as many.
      elements = elements.enumerated().filter { $0.offset.isMultiple(of: 2) }.map(\.element)
      stride *= 2
      if count % stride != 0 { return }
    }
    elements.append(element)
  }
}
