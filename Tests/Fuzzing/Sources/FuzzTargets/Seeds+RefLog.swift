@testable internal import DTMFolder
@testable internal import DTMRepository
internal import DTMSystem

/// The ref log, and the journal of a restore.
extension Seeds {
  static let operation = RecordBody(
    operation: OperationRecord(
      sequence: 2, time: Timestamp(seconds: 1_700_000_000, nanoseconds: 9), pid: 77, uid: 1000,
      kind: "restore", summary: "restored a",
      moves: [RefMove(ref: "folders/f/main", old: .id(id), new: .id(id))],
      facts: [Fact(subject: id, key: "pin", value: [1])],
      livePacks: [LivePack(id: folder, kind: .data, length: 4096)], undoes: 1,
      details: [("path", "a")], isUndone: false))

  static let checkpoint: RecordBody = {
    var body = operation
    body.operation.sequence = 1
    body.operation.kind = "checkpoint"
    body.refs = ["folders/f/HEAD": .name("main"), "folders/f/main": .id(id)]
    body.operations = [operation.operation]
    return body
  }()

  static var segment: [UInt8] {
    var bytes = Segment.header(1, repository: folder)
    for (index, body) in [checkpoint, operation].enumerated() {
      bytes +=
        Segment.record(sequence: UInt64(index + 1), previous: id, body: body.encoded()).bytes
    }
    return bytes
  }

  static var journal: [UInt8] {
    let items = [
      RestorePlan.Item(
        key: entries[1].key, action: .add, old: nil, new: entries[1], container: nil, link: nil),
      RestorePlan.Item(
        key: entries[3].key, action: .add, old: nil, new: entries[3], container: 0, link: nil),
      RestorePlan.Item(
        key: entries[4].key, action: .replace, old: entries[4], new: entries[4], container: nil,
        link: .existing(entries[4].key)),
    ]
    let plan = RestorePlan(
      name: "0123456789abcdef", items: items,
      settlings: [.init(key: .root, old: entries[0], new: nil, isChange: true)], problems: [])
    let intent = RestoreIntent(
      kind: "restore", summary: "a", branch: "main", newBranchFrom: id, undoes: 3, before: id,
      targets: [.init(path: .root, snapshot: id)], keepsAdded: true, host: "h", user: "u",
      writerVersion: "1")
    return JournalEncoding.magic + JournalEncoding.record(JournalEncoding.body(plan, intent))
      + JournalEncoding.record(JournalEncoding.body(built: [1, 2]))
  }
}
