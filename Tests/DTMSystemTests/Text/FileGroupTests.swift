import DTMSystem
import Testing

@Suite struct FileGroupTests {
  private func stems(_ group: FileGroup?, _ name: String) -> [String] {
    (group?.stems(of: Array(name.utf8)) ?? []).map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `a name has a stem for each pattern that it fits`() {
    let group = FileGroup(["*", "*-wal", "journal-*.x"])
    #expect(stems(group, "a.db") == ["a.db"])
    #expect(stems(group, "a.db-wal") == ["a.db-wal", "a.db"])
    #expect(stems(group, "journal-a.x") == ["journal-a.x", "a"])
    #expect(stems(group, "-wal") == ["-wal"], "* stands for something")
    #expect(stems(group, "journal-.x") == ["journal-.x"])
    #expect(stems(FileGroup(["*.shp", "*.shx"]), "shp") == [])
    // A prefix and a suffix do not share bytes.
    #expect(stems(FileGroup(["ab*bc", "*"]), "abc") == ["abc"])
  }

  @Test func `the names of a group come from its stem`() {
    let names = FileGroup(["*.shp", "x-*"])?.names(stem: [0xff, 0x61])
    #expect(names == [[0xff, 0x61] + Array(".shp".utf8), Array("x-".utf8) + [0xff, 0x61]])
  }

  @Test(arguments: [
    [], ["*"], ["*", "*"], ["*", "a"], ["*", "a**"], ["*", "d/*"], ["*", "*\n"], ["*", ""],
  ]) func `what is no group is none`(patterns: [String]) {
    #expect(FileGroup(patterns) == nil)
  }
}
