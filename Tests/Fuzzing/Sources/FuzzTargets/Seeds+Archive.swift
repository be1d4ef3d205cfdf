@testable internal import DTMFolder
internal import DTMSystem

/// An archive with a name in a record, a file with holes, a link and GNU's long name.
extension Seeds {
  static let archive: [UInt8] = {
    func padded(_ bytes: [UInt8]) -> [UInt8] {
      bytes + [UInt8](repeating: 0, count: (512 - bytes.count % 512) % 512)
    }
    func header(_ kind: TarHeader.Kind, _ name: String, size: Int = 0) -> TarHeader {
      var header = TarHeader(kind)
      header.name = Array(name.utf8)
      header.mode = 0o644
      header.size = UInt64(size)
      return header
    }
    var records = PaxRecords()
    records.add("path", "a/one")
    records.add("mtime", "-1.5")
    records.add("SCHILY.xattr.user.a", [0, 1, 2])
    records.add("SCHILY.acl.access", "user::rw-,user:1001:r--,group::r--,mask::r--,other::---")
    var holes = PaxRecords()
    for (key, value) in [("major", "1"), ("minor", "0"), ("realsize", "9000")] {
      holes.add("GNU.sparse." + key, value)
    }
    let map = padded(Array("2\n4096\n3\n9000\n0\n".utf8))
    var link = header(.link, "b")
    link.target = Array("a/one".utf8)
    return header(.extended, "x", size: records.encoded.count).encoded + padded(records.encoded)
      + header(.file, "a", size: 5).encoded + padded([1, 2, 3, 4, 5])
      + header(.extended, "x", size: holes.encoded.count).encoded + padded(holes.encoded)
      + header(.file, "c", size: map.count + 3).encoded + map + padded([7, 8, 9])
      + link.encoded + header(.longName, "L", size: 5).encoded + padded(Array("long\0".utf8))
      + header(.directory, "d").encoded + [UInt8](repeating: 0, count: 1024)
  }()
}
