import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import Testing

/// The forms of an archive, each by itself.
@Suite struct TarTests {
  @Test func `a header's numbers come back, those beyond octal too`() throws {
    var header = TarHeader(.file)
    header.name = Array("a/b".utf8)
    header.mode = 0o7777
    header.uid = 0xFFFF_FFFE
    header.gid = 0o7777777
    header.size = 1 << 40
    header.seconds = -1
    header.user = Array("somebody".utf8)
    header.major = 4095
    header.minor = 1 << 30
    #expect(try TarHeader.decode(header.encoded) == header)
    #expect(try TarHeader.decode([UInt8](repeating: 0, count: 512)) == nil)
    // A size of up to 8 GiB is octal, as every reader knows it.
    header.size = 0o77777777777
    #expect(header.encoded[124..<136].elementsEqual("77777777777\0".utf8))
  }

  @Test func `a header of which a byte has flipped is refused, or is another one`() throws {
    var header = TarHeader(.symlink)
    header.name = Array("name".utf8)
    header.target = Array("target".utf8)
    let block = header.encoded
    for index in block.indices {
      var flipped = block
      flipped[index] ^= 1
      let found = try? TarHeader.decode(flipped)
      #expect(found == nil || (148..<156).contains(index), "byte \(index)")
    }
  }

  @Test func `a record counts its own length`() throws {
    for length in [0, 1, 80, 88, 89, 90, 91, 92, 93, 94, 990, 991, 992, 993, 994, 995, 99_990] {
      var records = PaxRecords()
      records.add("k", [UInt8](repeating: 0x3D, count: length))
      let bytes = records.encoded
      let digits = bytes.prefix { $0 != 0x20 }
      #expect(Int(String(decoding: digits, as: UTF8.self)) == bytes.count, "\(length)")
      #expect(try PaxRecords(decoding: bytes) == records)
    }
    for text in [
      "5 a=b\n", "7 a=b\n", "6 ab\n ", "x", "6 a=bc", "-6 a=b\n", "999999999999999999999 a=b\n",
    ] {
      #expect(throws: DecodingFailure.self) { try PaxRecords(decoding: Array(text.utf8)) }
    }
  }

  @Test(
    arguments: [
      (0, 0, "0"), (1, 500_000_000, "1.500000000"), (-2, 500_000_000, "-1.500000000"),
      (-1, 1, "-0.999999999"), (-1, 0, "-1"), (8_589_934_592, 1, "8589934592.000000001"),
    ] as [(Int64, UInt32, String)])
  func `times read as they are written, before 1970 too`(
    seconds: Int64, nanoseconds: UInt32, text: String
  ) {
    let time = FileTime(seconds: seconds, nanoseconds: nanoseconds)
    #expect(PaxRecords.text(time) == text)
    #expect(PaxRecords.time(Array(text.utf8)) == time)
  }

  @Test func `access control lists go through text and back, by number and by name`() throws {
    let value: [UInt8] =
      [2, 0, 0, 0] + [1, 0, 6, 0, 255, 255, 255, 255] + [2, 0, 4, 0, 233, 3, 1, 0]
      + [4, 0, 4, 0, 255, 255, 255, 255] + [8, 0, 1, 0, 0, 0, 0, 0]
      + [16, 0, 7, 0, 255, 255, 255, 255] + [32, 0, 0, 0, 255, 255, 255, 255]
    let text = "user::rw-,user:66537:r--,group::r--,group:0:--x,mask::rwx,other::---"
    #expect(AccessListText.text(value) == text)
    #expect(AccessListText.value(Array(text.utf8)) == value)
    let named =
      "user::rw-\nuser:nobody-here:r--:66537\ngroup::r--\ngroup:root:--x\nmask:rwx\nother::---\n"
    #expect(AccessListText.value(Array(named.utf8)) == value)
    for wrong in ["", "user", "user:nobody-here:r--", "user::rwz", "who::rwx", "a:b:c:d:e"] {
      #expect(AccessListText.value(Array(wrong.utf8)) == nil, "\(wrong)")
    }
    #expect(AccessListText.text([1, 0, 0, 0]) == nil)
    #expect(AccessListText.text([2, 0, 0, 0, 1]) == nil)
  }

  @Test func `a stream of zstd comes back in pieces of any size`() throws {
    var generator = SplitMix.fresh("zstd stream")
    let bytes = (0..<3_000_000).map { index in UInt8(truncatingIfNeeded: index / 7 + index % 3) }
    let compressor = try ZstdCompressor(level: 3)
    var packed: [UInt8] = []
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + generator.below(200_000) + 1)
      packed += try compressor.compress(Array(bytes[start..<end]))
      start = end
    }
    packed += try compressor.compress([], isLast: true)
    #expect(packed.count < bytes.count / 10)
    for _ in 0..<3 {
      let decompressor = try ZstdDecompressor()
      var found: [UInt8] = []
      var next = 0
      while next < packed.count || !decompressor.needsInput {
        if decompressor.needsInput {
          let end = min(packed.count, next + generator.below(5000) + 1)
          decompressor.feed(Array(packed[next..<end]))
          next = end
        }
        found += try decompressor.next()
      }
      #expect(found == bytes)
      #expect(!decompressor.isWithinFrame)
    }
  }
}
