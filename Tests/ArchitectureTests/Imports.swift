/// One import of a source file.
struct Import {
  /// The module alone: `Foundation` for `import struct Foundation.Date`.
  let module: String
  /// From 0.
  let line: Int
}

/// Who may import what: the table of the architecture.
enum ImportRules {
  /// What every target may import: they come with the language.
  static let everywhere: Set<String> = ["Swift", "Synchronization"]

  /// Target → modules. `SystemPackage` stands wherever `DTMSystem` does: its `Errno` and `FilePath`
  /// are the words of DTMSystem's signatures, and their members are seen only by who imports it.
  static let allowed: [String: Set<String>] = [
    "DTMSystem": ["Glibc", "CLinux", "SystemPackage"],
    "DTMRepository": ["DTMSystem", "SystemPackage", "Crypto", "CZstd"],
    "DTMFolder": ["DTMRepository", "DTMSystem", "SystemPackage", "CSQLite"],
    "DTMWatch": ["DTMSystem", "SystemPackage"],
    "DTMRules": ["DTMSystem", "SystemPackage"],
    "DTMConfiguration": ["DTMSystem", "SystemPackage", "DTMRules"],
    "DTMControl": ["DTMSystem", "SystemPackage"],
    "DTMDaemon": [
      "DTMSystem", "SystemPackage", "DTMRepository", "DTMFolder", "DTMWatch", "DTMRules",
      "DTMConfiguration", "DTMControl", "ServiceLifecycle", "Logging", "CSystemd",
    ],
    "DTMCommands": [
      "ArgumentParser", "DTMControl", "DTMFolder", "DTMRepository", "DTMConfiguration",
      "DTMRules", "DTMSystem", "SystemPackage",
    ],
    "dtm": ["DTMCommands"],
    "dtmd": ["DTMDaemon", "DTMControl", "ArgumentParser"],
  ]

  static func imports(of file: SourceFile) -> [Import] {
    file.code.indices.flatMap { index in
      let tokens = Token.tokens(of: file.code[index])
      return tokens.indices.compactMap { position -> Import? in
        guard tokens[position].text == "import", tokens[position].isSpaced else { return nil }
        var next = position + 1
        let kinds: Set = [
          "struct", "class", "enum", "protocol", "typealias", "func", "var", "let", "actor",
        ]
        if next < tokens.count, kinds.contains(tokens[next].text) { next += 1 }
        guard next < tokens.count, tokens[next].isWord else { return nil }
        return Import(module: tokens[next].text, line: index)
      }
    }
  }

  /// Imports that the table does not have; full Foundation is named as such.
  static func violations(in file: SourceFile) -> [Violation] {
    imports(of: file).compactMap { entry in
      if entry.module == "Foundation" || entry.module.hasPrefix("FoundationN")
        || entry.module.hasPrefix("FoundationI")
      {
        return Violation(file, entry.line, "full Foundation takes a program from 14 to 58 MB")
      }
      guard let modules = allowed[file.module] else {
        return Violation(file, entry.line, "\(file.module) is not in the table of the architecture")
      }
      if modules.contains(entry.module) || everywhere.contains(entry.module) { return nil }
      return Violation(file, entry.line, "\(file.module) may not import \(entry.module)")
    }
  }

  /// Imports that Package.swift does not declare for the target (the compiler lets them through
  /// when another target happens to build the module first).
  static func undeclared(in file: SourceFile, manifest: Manifest) -> [Violation] {
    guard let declared = manifest.dependencies[file.module] else { return [] }
    return imports(of: file).compactMap { entry in
      if everywhere.contains(entry.module) || entry.module == "Glibc" { return nil }
      if declared.contains(entry.module) { return nil }
      return Violation(
        file, entry.line, "Package.swift does not give \(entry.module) to \(file.module)")
    }
  }
}
