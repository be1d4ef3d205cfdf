import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

@Suite struct LastSequenceTests {
  @Test func `a record with the largest number is damage`() throws {
    try withTemporaryDirectory { base in
      let files = try SystemFileOperations(path: base)
      _ = try Repository.create(
        files, first: RecordDraft(kind: "init"), at: SystemTimeSource().now())
      for copy in ["a", "b"] {
        let file = try files.open("refs/00000001.\(copy)", writable: true)
        var bytes = try file.read(at: 0, count: 64)
        let zero = ObjectID(words: (0, 0, 0, 0))
        let first = Segment.record(sequence: .max, previous: zero, body: [])
        bytes += first.bytes
        bytes += Segment.record(sequence: 0, previous: first.digest, body: []).bytes
        try file.truncate(to: 0)
        try file.write(bytes, at: 0)
      }
      let failure = #expect(throws: RepositoryError.self) { _ = try Repository(at: base).refresh() }
      #expect(failure?.code == .corrupt)
    }
  }
}
