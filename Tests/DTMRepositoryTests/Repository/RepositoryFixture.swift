import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

/// Work on a repository: each step writes some objects, commits them, and moves a branch.
struct RepositoryFixture {
  static let branch = "folders/00000000000000000000000000000001/branches/main"
  static let time = Timestamp(seconds: 1_700_000_000)

  var limits: PackLimits = {
    var limits = PackLimits()
    limits.data = 6 << 10
    limits.metadata = 3 << 10
    limits.unindexedFrames = 2
    return limits
  }()

  func create(_ files: any FileOperations) throws -> Repository {
    try Repository.create(
      files, first: RecordDraft(kind: "init", summary: "init"), at: Self.time)
  }

  func open(_ files: any FileOperations) throws -> Repository {
    let repository = try Repository(files, segmentLimit: 4 << 10)
    repository.packLimits = limits
    return repository
  }

  /// The content of step `number`: a few chunks and one metadata object that names the step.
  static func content(_ number: Int) -> (chunks: [[UInt8]], name: [UInt8]) {
    var generator = XorShift(seed: UInt64(number) &* 0x9E37_79B9_7F4A_7C15 | 1)
    let chunks = (0..<3).map { _ in generator.bytes(200 + Int(generator.next() % 1500)) }
    return (chunks, Array("step \(number)".utf8))
  }

  /// Commits step `number` and returns the id that the branch has then.
  @discardableResult
  func commit(_ number: Int, to repository: Repository) throws -> ObjectID {
    let session = try repository.beginSession()
    let (chunks, name) = Self.content(number)
    var list = name
    for chunk in chunks {
      list += try session.write(.chunk, chunk).bytes
    }
    let id = try session.write(.page, list)
    let state = try repository.refresh()
    var draft = RecordDraft(kind: "snapshot", summary: "step \(number)")
    draft.moves = [
      RefMove(ref: Self.branch, old: state.refs[Self.branch], new: .id(id))
    ]
    _ = try session.commit(draft, at: Self.time)
    return id
  }

  /// The number of the step that the branch is at, 0 before the first, each object of it and of all
  /// before read back and compared.
  func check(_ repository: Repository) throws -> Int {
    let state = try repository.refresh()
    guard case .id(let id)? = state.refs[Self.branch] else { return 0 }
    let page = try repository.objects.read(id, .page)
    let text = String(decoding: page.prefix { $0 < 0x7F && $0 >= 0x20 }.prefix(16), as: UTF8.self)
    let digits = text.dropFirst(5).prefix { $0.isNumber }
    var number = try #require(Int(digits))
    while number > 0, Self.pageID(number) != id, digits.count > 1 { number /= 10 }
    try #require(Self.pageID(number) == id, "the branch is at \(text)")
    for step in 1...number {
      for chunk in Self.content(step).chunks {
        let read = try repository.objects.read(Digest.id(.chunk, chunk), .chunk)
        try #require(read == chunk, "step \(step) is not what was written")
      }
    }
    return number
  }

  private static func pageID(_ number: Int) -> ObjectID {
    let (chunks, name) = content(number)
    return Digest.id(.page, name + chunks.flatMap { Digest.id(.chunk, $0).bytes })
  }
}
