@testable internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// What packs and indexes are made of.
enum PackFuzzing {
  /// The pack that the seed is.
  static let pack = PackID([UInt8](repeating: 7, count: 16)) ?? PackID.random()

  static func frame(_ input: [UInt8]) {
    if let (pack, length) = try? PackHeader.decode(input) {
      hold(pack.encoded == Array(input.prefix(length)), "a pack's header has two encodings")
    }
    guard let header = try? FrameHeader(decoding: input, at: 0) else { return }
    hold(header.encoded == Array(input.prefix(header.length)), "a frame's header has two encodings")
    guard header.isCompressed, header.frameLength <= input.count, let zstd = try? Zstd(),
      let raw = try? zstd.decompress(
        input, header.length..<header.frameLength, rawLength: header.rawLength)
    else { return }
    hold(raw.count == header.rawLength, "a frame has another length than its header says")
    _ = try? FrameBuilder.check(raw, header.rows)
  }

  static func packTrailer(_ input: [UInt8]) {
    let foot = Array(input.suffix(PackTrailer.footLength))
    if let offset = PackTrailer.offset(foot: foot, packLength: input.count) {
      hold(offset + PackTrailer.headLength <= input.count, "a trailer is outside of its pack")
    }
    guard let file = try? PackFile(sealed: pack, .data, files: OneFile(input)) else { return }
    if let table = file.table { search(table) }
    for row in file.tableRows { _ = try? file.frameHeader(at: row.frameOffset) }
  }

  static func mergedIndex(_ input: [UInt8]) {
    guard let index = MergedIndex("fuzzed", files: OneFile(input)) else { return }
    search(index.table)
    for row in 0..<index.table.count {
      if let (pack, offset) = index.location(row) {
        hold(pack < index.packs.count && offset >= 0, "a row's pack is not there")
      }
    }
  }

  private static func search(_ table: IDTable) {
    for row in 0..<table.count {
      let id = table.id(row)
      for found in table.rows(of: id) { hold(table.id(found) == id, "a wrong row is found") }
    }
    _ = table.rows(of: ObjectID(words: (0, 0, 0, 0)))
    _ = table.rows(of: ObjectID(words: (.max, .max, .max, .max)))
  }
}
