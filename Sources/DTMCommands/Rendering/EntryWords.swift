internal import DTMRepository
internal import DTMSystem

extension JSONWriter {
  /// Bytes that are mostly text: a string, or `{"base64": …}` where they are not UTF-8.
  mutating func bytes(_ bytes: [UInt8]) {
    if bytes.isValidUTF8 { return string(String(decoding: bytes, as: UTF8.self)) }
    object { $0.field("base64", String(decoding: Base64.encode(bytes), as: UTF8.self)) }
  }
}

extension FileKind {
  /// As the contract's JSON has it.
  var word: String {
    switch self {
    case .file: "file"
    case .directory: "directory"
    case .symlink: "symlink"
    case .fifo, .socket, .characterDevice, .blockDevice: "other"
    }
  }

  /// For people.
  var noun: String {
    switch self {
    case .file: "file"
    case .directory: "directory"
    case .symlink: "symbolic link"
    case .fifo: "FIFO"
    case .socket: "socket"
    case .characterDevice, .blockDevice: "device"
    }
  }

  /// The first letter of a line of `ls -l`.
  var letter: String {
    switch self {
    case .file: "-"
    case .directory: "d"
    case .symlink: "l"
    case .fifo: "p"
    case .socket: "s"
    case .characterDevice: "c"
    case .blockDevice: "b"
    }
  }
}

extension TreeEntry {
  /// `0640`.
  var permissionsText: String {
    let digits = String(permissions, radix: 8)
    return String(repeating: "0", count: max(0, 4 - digits.count)) + digits
  }

  /// `-rw-r-----`, as ls(1) has it.
  var modeText: String {
    let letters: [(UInt32, Character)] = [
      (0o400, "r"), (0o200, "w"), (0o100, "x"), (0o040, "r"), (0o020, "w"), (0o010, "x"),
      (0o004, "r"), (0o002, "w"), (0o001, "x"),
    ]
    var text = letters.map { permissions & $0.0 == 0 ? "-" : $0.1 }
    for (bit, place, letter) in [(0o4000, 2, "s"), (0o2000, 5, "s"), (0o1000, 8, "t")]
      as [(UInt32, Int, Character)]
    where permissions & bit != 0 {
      text[place] = text[place] == "x" ? letter : Character(letter.uppercased())
    }
    return kind.letter + String(text)
  }
}
