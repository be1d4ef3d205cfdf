internal import DTMSystem

/// Rewrites the pages of one level that edits touch.
///
/// From the begin of a touched page on, entries go anew through the border rule, until a page ends
/// where an old page ended: from there on old and new pages are the same. What was rewritten in one
/// go is a run; the level above gets its old pages as a range that goes and its new ones as items.
struct LevelUpdate<Writer: PageWriter> {
  private let objects: any ObjectWriter
  private let edits: LevelEdits<Writer.Item>
  private var cursor: LevelCursor
  private var writer: Writer
  private var nextRange = 0
  private var nextItem = 0
  /// Nil on levels that have no directories.
  private(set) var parents: ParentWatch?

  /// The old pages that are replaced, as ranges of their keys.
  private(set) var replaced: [KeyRange] = []
  /// The new pages.
  private(set) var children: [Child] = []
  /// Whether all of the level's old pages are replaced in one run.
  private(set) var isWhole = false
  /// The single entry of what would be the only page of an inner level: not written.
  private(set) var onlyEntry: ObjectID?

  init(
    _ edits: LevelEdits<Writer.Item>, cursor: LevelCursor, writer: Writer,
    objects: any ObjectWriter, parents: ParentWatch?
  ) {
    self.edits = edits
    self.cursor = cursor
    self.writer = writer
    self.objects = objects
    self.parents = parents
  }

  /// Applies all edits.
  mutating func run() throws(RepositoryError) {
    while let key = nextEdit {
      try cursor.seek(key)
      try rewrite()
    }
  }

  /// Where the next edit is.
  private var nextEdit: [UInt8]? {
    let item = nextItem < edits.items.count ? edits.items[nextItem].keyBytes : nil
    let range = nextRange < edits.ranges.count ? edits.ranges[nextRange].start : nil
    guard let item else { return range }
    guard let range else { return item }
    return KeyOrder.isLess(item, range) ? item : range
  }

  /// Rewrites from the begin of the cursor's page until old and new are in step.
  private mutating func rewrite() throws(RepositoryError) {
    let isFromStart = cursor.isAtStart
    let start = cursor.firstKey ?? []
    let firstChild = children.count
    repeat {
      try rewritePage()
    } while !cursor.isAtEnd && !isInStep
    parents?.endRun()
    if cursor.isAtEnd {
      isWhole = isFromStart
      try closeLast(isOnly: isWhole && children.count == firstChild)
    }
    replaced.append(KeyRange(start: start, end: cursor.isAtEnd ? nil : cursor.firstKey))
  }

  /// Whether the old page at the cursor would begin a new page, and has not lost its begin.
  private var isInStep: Bool {
    guard writer.isEmpty else { return false }
    guard let first = cursor.firstKey else { return true }
    if let parents, parents.isWaiting(for: first) { return false }
    guard nextRange < edits.ranges.count else { return true }
    return !KeyOrder.isLess(edits.ranges[nextRange].start, first)
  }

  private mutating func closeLast(isOnly: Bool) throws(RepositoryError) {
    guard !writer.isEmpty else { return }
    if isOnly, let child = writer.onlyChild {
      onlyEntry = child
    } else {
      children.append(try writer.close(to: objects))
    }
  }

  /// Merges the cursor's page with the edits up to the next page, and goes to the page that comes next.
  private mutating func rewritePage() throws(RepositoryError) {
    let page = try Writer.Source.of(cursor.page())
    let upper = cursor.nextFirstKey
    var index = 0
    while let edit = nextEdit, isLess(edit, upper) {
      let stop = page.keys.lowerBound(edit, from: index)
      try keep(page, index..<stop)
      index = stop
      if let range = rangeAtNextEdit {
        index = remove(page, from: index, range)
        if index == page.keys.count && extends(range, beyond: upper) {
          return try skip(to: range.end)
        }
        nextRange += 1
      } else {
        let isSame = index < page.keys.count && page.keys.compare(index, edit) == 0
        try insert(replacing: isSame ? page.isDirectory(index) : nil)
        if isSame { index += 1 }
      }
    }
    try keep(page, index..<page.keys.count)
    try cursor.advance()
  }

  /// The range that begins where the next edit is: what goes goes before what comes.
  private var rangeAtNextEdit: KeyRange? {
    guard nextRange < edits.ranges.count else { return nil }
    let range = edits.ranges[nextRange]
    guard nextItem < edits.items.count else { return range }
    return KeyOrder.isLess(edits.items[nextItem].keyBytes, range.start) ? nil : range
  }

  private func isLess(_ key: [UInt8], _ upper: [UInt8]?) -> Bool {
    guard let upper else { return true }
    return KeyOrder.isLess(key, upper)
  }

  private func extends(_ range: KeyRange, beyond upper: [UInt8]?) -> Bool {
    guard let upper else { return false }
    return !range.isBefore(upper)
  }

  /// Goes on where a range ends, past pages that it takes whole: they are not read.
  private mutating func skip(to end: [UInt8]?) throws(RepositoryError) {
    while nextItem < edits.items.count, isLess(edits.items[nextItem].keyBytes, end) {
      try insert(replacing: nil)
    }
    guard let end else {
      nextRange += 1
      cursor.moveToEnd()
      return
    }
    try cursor.seek(end)
    if cursor.firstKey == end { nextRange += 1 }
  }

  /// Goes past the entries that a range takes; returns the index behind them.
  private mutating func remove(_ page: Writer.Source, from index: Int, _ range: KeyRange) -> Int {
    let stop = range.end.map { page.keys.lowerBound($0, from: index) } ?? page.keys.count
    if range.isSingleEntry, index < stop, page.isDirectory(index) {
      parents?.directoryGone(page.keys.key(index))
    }
    return stop
  }

  private mutating func keep(_ page: Writer.Source, _ range: Range<Int>) throws(RepositoryError) {
    guard let first = range.first else { return }
    if parents?.isWaiting == true { try parents?.next(page.keys.key(first)) }
    for index in range where try writer.append(page, index) {
      children.append(try writer.close(to: objects))
    }
  }

  /// Appends the next item. `directory`: whether the entry that it replaces is a directory; nil where
  /// it is new.
  private mutating func insert(replacing directory: Bool?) throws(RepositoryError) {
    let item = edits.items[nextItem]
    nextItem += 1
    try parents?.inserted(
      item.keyBytes, isDirectory: item.isDirectory, replacesDirectory: directory)
    if try writer.append(item) { children.append(try writer.close(to: objects)) }
  }
}

/// Watches, while a level is rewritten, that what is beneath a directory goes with it, and collects
/// whose parents have to be looked up.
struct ParentWatch {
  /// A directory that is gone, the outermost one.
  private var gone: PathKey?
  /// New entries' keys.
  private(set) var inserted: [PathKey] = []

  var isWaiting: Bool { gone != nil }

  mutating func directoryGone(_ bytes: [UInt8]) {
    let key = PathKey(bytes: bytes)
    if let gone, key == gone || key.isBeneath(gone) { return }
    gone = key
  }

  /// An entry stays or comes. Throws `.invalidInput` when its directory has gone.
  mutating func next(_ bytes: [UInt8]) throws(RepositoryError) {
    guard let gone else { return }
    let key = PathKey(bytes: bytes)
    if key.isBeneath(gone) {
      throw RepositoryError(
        .invalidInput,
        "\(Quoting.path(key)) would stay while its directory \(Quoting.path(gone)) goes")
    }
    if key != gone { self.gone = nil }
  }

  mutating func inserted(
    _ bytes: [UInt8], isDirectory: Bool, replacesDirectory: Bool?
  ) throws(RepositoryError) {
    let key = PathKey(bytes: bytes)
    if isDirectory && key == gone { gone = nil }
    try next(bytes)
    if replacesDirectory == nil { inserted.append(key) }
    if replacesDirectory == true && !isDirectory { directoryGone(bytes) }
  }

  /// Whether an entry of this key would be one that the directory leaves behind.
  func isWaiting(for bytes: [UInt8]) -> Bool {
    guard let gone else { return false }
    return PathKey(bytes: bytes).isBeneath(gone)
  }

  /// The run ends, and what comes next is not beneath the directory.
  mutating func endRun() { gone = nil }
}
