import DTMTestSupport
import Testing

@testable import DTMRepository

@Suite struct `The objects of a live pack` {
  private func row(_ words: (UInt64, UInt64), _ kind: ObjectKind, at offset: Int) -> PackRow {
    PackRow(
      id: ObjectID(words: (words.0, words.1, 0, 0)), kind: kind, frameOffset: offset, rawOffset: 0,
      length: 1)
  }

  @Test func `are found by name, those that are not there are missed`() {
    var objects = LiveRows()
    // Ids as if of one slot, again and again: with ever more of them the table grows.
    let rows = (0..<3000).map { row((UInt64($0 % 7), UInt64($0)), .chunk, at: $0) }
    for row in rows { objects.append(row) }
    #expect(objects.rows.map(\.id) == rows.map(\.id))
    for (offset, row) in rows.enumerated() {
      #expect(objects.frameOffsets(of: row.id, .chunk) == [offset])
      #expect(objects.frameOffsets(of: row.id, .list) == [])
    }
    #expect(objects.frameOffsets(of: ObjectID(words: (1, 5000, 0, 0)), .chunk) == [])
    #expect(objects.frameOffsets(of: ObjectID(words: (9, 0, 0, 0)), .chunk) == [])
  }

  @Test func `that stand there twice are found in both frames, the last one first`() {
    var objects = LiveRows()
    for offset in [10, 20] {
      objects.append(row((1, 1), .chunk, at: offset))
      objects.append(row((1, 1), .page, at: offset + 1))
    }
    #expect(objects.frameOffsets(of: ObjectID(words: (1, 1, 0, 0)), .chunk) == [20, 10])
    #expect(objects.frameOffsets(of: ObjectID(words: (1, 1, 0, 0)), .page) == [21, 11])
  }

  @Test func `are none at first`() {
    #expect(LiveRows().frameOffsets(of: ObjectID(words: (0, 0, 0, 0)), .chunk) == [])
  }
}
