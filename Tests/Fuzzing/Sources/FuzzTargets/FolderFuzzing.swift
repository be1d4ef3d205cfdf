@testable internal import DTMFolder
@testable internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// What stands in a data folder, and in the journal of a restore.
enum FolderFuzzing {
  static func journal(_ input: [UInt8]) {
    guard let contents = try? JournalEncoding.decode(input) else { return }
    let body = JournalEncoding.body(contents.plan, contents.intent)
    var bytes = JournalEncoding.magic + JournalEncoding.record(body)
    if let built = contents.built {
      let numbers = Set(built.map { contents.plan.number(of: $0) })
      bytes += JournalEncoding.record(JournalEncoding.body(built: numbers))
    }
    guard let again = try? JournalEncoding.decode(bytes) else {
      fatalError("a journal that was encoded does not decode")
    }
    hold(again.built == contents.built, "a journal's end is another one after encoding")
    hold(
      JournalEncoding.body(again.plan, again.intent) == body, "a journal has two encodings")
  }

  /// All members of an archive, content and holes.
  static func archive(_ input: [UInt8]) {
    var rest = input[...]
    let source = try? ArchiveSource("input") { count throws(Errno) in
      let piece = Array(rest.prefix(min(count, 700)))
      rest = rest.dropFirst(piece.count)
      return piece
    }
    guard let source else { return }
    let reader = TarReader(source)
    while let member = try? reader.next() {
      var end = 0
      do throws(FolderError) {
        try reader.forEachPiece(of: member) { bytes throws(FolderError) in
          end += bytes.count
        } hole: { length throws(FolderError) in
          hold(length >= 0, "a hole of negative length")
          end += length
        }
      } catch { return }
      hold(end == member.size, "a member has other content than its size")
    }
    let block = Array(input.prefix(TarHeader.blockLength))
    guard let header = try? TarHeader.decode(block) else { return }
    guard let again = try? TarHeader.decode(header.encoded) else {
      fatalError("a header that was encoded does not decode")
    }
    hold(again.size == header.size && again.uid == header.uid, "a header has another size then")
  }

  /// The input: an ignore file, a NUL, the key of a path.
  static func ignore(_ input: [UInt8]) {
    let end = input.firstIndex(of: 0) ?? input.endIndex
    let scope = IgnoreScope(configured: ["*.tmp"]).entering(.root, file: Array(input[..<end]))
    let key = Array(input[end...].dropFirst())
    let asFile = scope.ignores(key, isDirectory: false)
    if asFile != scope.ignores(key, isDirectory: true) {
      hold(input[..<end].contains(UInt8(ascii: "/")), "no pattern speaks of directories alone")
    }
  }
}
