internal import DTMRules
internal import DTMSystem
internal import SystemPackage

/// Reads one file's JSON into values and collects everything that is wrong with it.
///
/// A value that is wrong is reported and left out, and reading goes on, so that one look tells all.
struct ConfigurationDecoder {
  let file: FilePath
  private(set) var errors: [ConfigurationError] = []

  init(file: FilePath) {
    self.file = file
  }

  /// What a main file says.
  struct Document {
    var daemon = DaemonConfiguration()
    var settle = SettleOverrides()
    var ignore: [String] = []
    var folders: [Folder] = []
  }

  /// What a file says of one folder, and where.
  struct Folder {
    var node: JSONNode
    var name: (text: String, node: JSONNode)?
    var path: (path: FilePath, node: JSONNode)?
    var repository: (path: FilePath, node: JSONNode)?
    var ignore: [String] = []
    var together: [FileGroup] = []
    var settle = SettleOverrides()
    var rules: [Rule] = []
    var checks: [Check] = []
    var keep: KeepPolicy?
    var guarding = GuardPolicy.standard
    var alert: AlertCommand?
    var isDropIn: Bool
    var file: FilePath
  }

  // MARK: - Objects

  /// The document of a main file; nil where the text is not JSON.
  mutating func document(_ bytes: [UInt8]) -> Document? {
    guard let node = parse(bytes) else { return nil }
    var result = Document()
    object(node, DocumentKey.self) { decoder, key, value in
      switch key {
      case .schema: decoder.schemaAddress(value)
      case .daemon: result.daemon = decoder.daemon(value)
      case .defaults:
        decoder.object(value, DefaultsKey.self) { decoder, key, value in
          switch key {
          case .settle: result.settle = decoder.settle(value)
          case .ignore: result.ignore = decoder.patterns(value, "ignore")
          }
        }
      case .folders:
        for element in decoder.array(value, "folders", "folders") {
          result.folders.append(decoder.folder(element, isDropIn: false))
        }
      }
    }
    return result
  }

  /// The folder of a drop-in file; nil where the text is not JSON.
  mutating func dropIn(_ bytes: [UInt8]) -> Folder? {
    guard let node = parse(bytes) else { return nil }
    if node["folders"] != nil {
      report(node, "a drop-in file is one folder's object, not a whole configuration")
      return nil
    }
    return folder(node, isDropIn: true)
  }

  private mutating func parse(_ bytes: [UInt8]) -> JSONNode? {
    do throws(JSONSyntaxError) {
      return try JSONNode(parsing: bytes)
    } catch {
      errors.append(
        ConfigurationError(
          .invalid, error.message, path: file, line: error.line, column: error.column))
      return nil
    }
  }

  private mutating func daemon(_ node: JSONNode) -> DaemonConfiguration {
    var result = DaemonConfiguration()
    object(node, DaemonKey.self) { decoder, key, value in
      switch key {
      case .socket: result.socket = decoder.absolutePath(value, key)
      case .metricsFile: result.metricsFile = decoder.absolutePath(value, key)
      case .logLevel: result.logLevel = decoder.word(value, key) ?? result.logLevel
      }
    }
    return result
  }

  private mutating func folder(_ node: JSONNode, isDropIn: Bool) -> Folder {
    var result = Folder(node: node, isDropIn: isDropIn, file: file)
    object(node, FolderKey.self) { decoder, key, value in
      switch key {
      case .schema: decoder.schemaAddress(value)
      case .name: result.name = decoder.folderName(value).map { ($0, value) }
      case .path: result.path = decoder.absolutePath(value, key).map { ($0, value) }
      case .repository: result.repository = decoder.absolutePath(value, key).map { ($0, value) }
      case .ignore: result.ignore = decoder.patterns(value, key.rawValue)
      case .together: result.together = decoder.groups(value, key.rawValue)
      case .settle: result.settle = decoder.settle(value)
      case .rules: result.rules = decoder.rules(value)
      case .checks: result.checks = decoder.checks(value)
      case .keep: result.keep = decoder.keep(value)
      case .guarding: result.guarding = decoder.guarding(value)
      case .alert: result.alert = decoder.alert(value)
      }
    }
    if result.name == nil, node["name"] == nil, let path = result.path {
      let text = path.path.lastComponent?.string ?? ""
      if let fault = FolderName.fault(of: text) {
        report(
          path.node, "the name of this folder is missing",
          hint: "its path's last component can't be one: \(fault)")
      } else {
        result.name = (text, path.node)
      }
    }
    return result
  }

  private mutating func settle(_ node: JSONNode) -> SettleOverrides {
    var result = SettleOverrides()
    object(node, SettleKey.self) { decoder, key, value in
      switch key {
      case .quiet: result.quiet = decoder.duration(value, key)
      case .atMost: result.atMost = decoder.duration(value, key)
      case .minInterval: result.minInterval = decoder.duration(value, key)
      case .openFiles: result.openFiles = decoder.word(value, key)
      }
    }
    for (key, span) in [(SettleKey.quiet, result.quiet), (.minInterval, result.minInterval)] {
      guard let span, let atMost = result.atMost, span > atMost else { continue }
      report(
        node[key.rawValue] ?? node,
        "\(key.rawValue) (\(DurationText.text(of: span))) is longer than atMost "
          + "(\(DurationText.text(of: atMost)))")
    }
    return result
  }

  // MARK: - Mechanics

  /// Calls `body` for each key that the table knows and whose value is there; reports others, and
  /// required ones that are missing.
  mutating func object<Key: ConfigurationKey>(
    _ node: JSONNode, _: Key.Type,
    _ body: (inout ConfigurationDecoder, Key, JSONNode) -> Void
  ) {
    guard let members = node.members else {
      return report(node, "\(Key.objectName) is an object, not \(Self.name(of: node))")
    }
    for member in members {
      guard let key = Key(rawValue: member.key) else {
        reportUnknown(member, Key.self)
        continue
      }
      if member.node.isNull && key.isNullable { continue }
      body(&self, key, member.node)
    }
    for key in Key.allCases where Key.required.contains(key) && node[key.rawValue] == nil {
      report(node, "\(Key.objectName) has no \"\(key.rawValue)\"")
    }
  }

  private mutating func reportUnknown<Key: ConfigurationKey>(_ member: JSONMember, _: Key.Type) {
    let words = Key.words
    let hint =
      editDistanceNearest(member.key, among: words).map { "did you mean \"\($0)\"?" }
      ?? "its keys are \(words.joined(separator: ", "))"
    errors.append(
      ConfigurationError(
        .invalid,
        "\(Key.objectName) has no key \"\(Quoting.path(Array(member.key.utf8)))\"", hint: hint,
        path: file, line: member.line, column: member.column))
  }

  mutating func array(_ node: JSONNode, _ key: String, _ elements: String) -> [JSONNode] {
    if let nodes = node.array { return nodes }
    report(node, "\"\(key)\" is an array of \(elements), not \(Self.name(of: node))")
    return []
  }

  mutating func report(_ node: JSONNode, _ message: String, hint: String? = nil) {
    errors.append(
      ConfigurationError(
        .invalid, message, hint: hint, path: file, line: node.line, column: node.column))
  }

  /// A value in an error text; long strings are cut.
  static func name(of node: JSONNode) -> String {
    switch node.value {
    case .null: "null"
    case .bool(let flag): "\(flag)"
    case .number(let text): "the number \(text.prefix(40))"
    case .string(let text):
      "\"\(Quoting.path(Array(String(text.prefix(80)).utf8)))\(text.count > 80 ? "…" : "")\""
    case .array: "an array"
    case .object: "an object"
    }
  }
}
