internal import DTMRepository
internal import DTMSystem

/// One member of an archive with all that its headers say.
struct TarMember {
  /// A run of data of a file with holes.
  struct Run: Hashable {
    let offset: Int
    let length: Int
  }

  var kind: TarHeader.Kind
  /// As it stands in the archive.
  var name: [UInt8]
  /// Of a link.
  var target: [UInt8]
  var permissions: UInt32
  var owner: Owner
  var group: Owner
  var modified: FileTime
  /// Bytes of the file, holes included.
  var size: Int
  /// Bytes that follow the headers.
  var storedSize: Int
  /// Where its data stand; nil for a file without holes.
  var runs: [Run]?
  var major: UInt32
  var minor: UInt32
  /// Ascending by name.
  var attributes: [ExtendedAttribute]
  var inodeFlags: UInt32
}

/// Names of records beyond POSIX's, as star, libarchive and GNU tar have them.
enum TarKey {
  static let attribute = "SCHILY.xattr."
  static let accessList = "SCHILY.acl.access"
  static let defaultList = "SCHILY.acl.default"
  static let flags = "SCHILY.fflags"
  static let sparse = "GNU.sparse."
  /// GNU tar's names of the inode flags are libarchive's.
  static let flagWords: [(word: String, flag: UInt32)] = [
    ("schg", MetadataWriter.immutable), ("nodump", MetadataWriter.noDump),
  ]

  /// An attribute's name within a key: `=` would end it.
  static func escaped(_ name: [UInt8]) -> [UInt8] {
    name.flatMap { byte -> [UInt8] in
      switch byte {
      case UInt8(ascii: "%"): Array("%25".utf8)
      case UInt8(ascii: "="): Array("%3D".utf8)
      default: [byte]
      }
    }
  }

  static func unescaped(_ name: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var index = 0
    while index < name.count {
      let rest = name[index...].prefix(3)
      if rest.elementsEqual("%25".utf8) || rest.elementsEqual("%3D".utf8) {
        result.append(rest.elementsEqual("%25".utf8) ? UInt8(ascii: "%") : UInt8(ascii: "="))
        index += 3
      } else {
        result.append(name[index])
        index += 1
      }
    }
    return result
  }
}
