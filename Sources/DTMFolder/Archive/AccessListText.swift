internal import DTMSystem

/// POSIX access control lists between their form as an extended attribute and that of archives:
/// `user::rwx,user:1001:r--,…`.
package enum AccessListText {
  private static let version: [UInt8] = [2, 0, 0, 0]
  private static let entryLength = 8
  private static let nobody = UInt32.max

  /// The tags, as the kernel numbers them.
  private enum Tag: UInt16 {
    case owner = 0x01
    case user = 0x02
    case owningGroup = 0x04
    case group = 0x08
    case mask = 0x10
    case other = 0x20

    var word: String {
      switch self {
      case .owner, .user: "user"
      case .owningGroup, .group: "group"
      case .mask: "mask"
      case .other: "other"
      }
    }
  }

  /// Nil for bytes that are no list.
  package static func text(_ value: [UInt8]) -> String? {
    guard value.starts(with: version), (value.count - version.count) % entryLength == 0 else {
      return nil
    }
    var parts: [String] = []
    for start in stride(from: version.count, to: value.count, by: entryLength) {
      func half(_ offset: Int) -> UInt16 {
        UInt16(value[start + offset]) | UInt16(value[start + offset + 1]) << 8
      }
      guard let tag = Tag(rawValue: half(0)), half(2) < 8 else { return nil }
      let id = UInt32(half(4)) | UInt32(half(6)) << 16
      let name = tag == .user || tag == .group ? String(id) : ""
      let rights = [(4, "r"), (2, "w"), (1, "x")].map { half(2) & $0.0 != 0 ? $0.1 : "-" }
      parts.append("\(tag.word):\(name):\(rights.joined())")
    }
    return parts.joined(separator: ",")
  }

  /// Nil for text that is no list. A name stands for this machine's user or group, unless a number
  /// follows the rights.
  package static func value(_ text: [UInt8]) -> [UInt8]? {
    var entries: [(tag: UInt16, rights: UInt16, id: UInt32)] = []
    let lines = String(decoding: text, as: UTF8.self).split { $0 == "," || $0 == "\n" }
    for line in lines {
      let fields = line.split(separator: ":", omittingEmptySubsequences: false).map {
        $0.filter { $0 != " " && $0 != "\t" }
      }
      // `mask:rwx` is `mask::rwx`.
      let isShort = fields.count == 2 && (fields[0] == "mask" || fields[0] == "other")
      guard isShort || fields.count == 3 || fields.count == 4 else { return nil }
      let name = isShort ? "" : fields[1]
      guard let rights = rights(isShort ? fields[1] : fields[2]) else { return nil }
      let number = fields.count == 4 ? UInt32(fields[3]) : nil
      switch fields[0] {
      case "user", "u":
        guard let id = name.isEmpty ? nobody : number ?? user(name) else { return nil }
        entries.append(((name.isEmpty ? Tag.owner : .user).rawValue, rights, id))
      case "group", "g":
        guard let id = name.isEmpty ? nobody : number ?? group(name) else { return nil }
        entries.append(((name.isEmpty ? Tag.owningGroup : .group).rawValue, rights, id))
      case "mask", "m": entries.append((Tag.mask.rawValue, rights, nobody))
      case "other", "o": entries.append((Tag.other.rawValue, rights, nobody))
      default: return nil
      }
    }
    if entries.isEmpty { return nil }
    var bytes = version
    for entry in entries.sorted(by: { ($0.tag, $0.id) < ($1.tag, $1.id) }) {
      for half in [
        entry.tag, entry.rights, UInt16(entry.id & 0xFFFF), UInt16(entry.id >> 16),
      ] {
        bytes += [UInt8(half & 0xFF), UInt8(half >> 8)]
      }
    }
    return bytes
  }

  private static func rights(_ text: String) -> UInt16? {
    var bits: UInt16 = 0
    for letter in text {
      switch letter {
      case "r": bits |= 4
      case "w": bits |= 2
      case "x": bits |= 1
      case "-": continue
      default: return nil
      }
    }
    return bits
  }

  private static func user(_ name: String) -> UInt32? {
    UInt32(name) ?? UserDirectory.user(named: name)?.uid
  }

  private static func group(_ name: String) -> UInt32? {
    UInt32(name) ?? UserDirectory.group(named: name)
  }
}
