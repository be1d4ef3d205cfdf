import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

@Suite struct `The objects of a live pack` {
  private static let count = 3000

  private func chunk(_ number: Int) -> [UInt8] { Array("chunk \(number)".utf8) }

  /// A repository whose live pack holds many objects, opened anew.
  private func reopened() throws -> Repository {
    let files = SimulatedFileOperations()
    let repository = try RepositoryFixture().create(files)
    let session = try repository.beginSession()
    for number in 0..<Self.count { _ = try session.write(.chunk, chunk(number)) }
    _ = try session.commit(
      RecordDraft(kind: "snapshot", summary: "chunks"), at: RepositoryFixture.time)
    return try Repository(files.afterKill())
  }

  @Test func `are found, and those that are not there are missed`() throws {
    let repository = try reopened()
    for number in 0..<Self.count {
      let id = Digest.id(.chunk, chunk(number).span)
      #expect(try repository.objects.read(id, .chunk) == chunk(number))
    }
    for number in Self.count..<(2 * Self.count) {
      let id = Digest.id(.chunk, chunk(number).span)
      #expect {
        try repository.objects.read(id, .chunk)
      } throws: {
        ($0 as? RepositoryError)?.code == .notFound
      }
    }
  }

  @Test func `are not stored again, nor mistaken for another kind's`() throws {
    let repository = try reopened()
    let session = try repository.beginSession()
    for number in 0..<Self.count { _ = try session.write(.chunk, chunk(number)) }
    try session.flush()
    #expect(session.storedBytes == 0)
    let id = Digest.id(.chunk, chunk(7).span)
    #expect {
      try repository.objects.read(id, .page)
    } throws: {
      ($0 as? RepositoryError)?.code == .notFound
    }
  }
}
