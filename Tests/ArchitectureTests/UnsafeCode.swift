/// Where unsafe code may stand: in DTMSystem, and in the one file that binds a C library.
enum UnsafeCode {
  /// A library that a module may bind with unsafe code, and in how many files.
  struct Binding {
    let module: String
    let library: String
    let files: Int
  }

  static let bindings = [
    Binding(module: "DTMRepository", library: "CZstd", files: 1),
    Binding(module: "DTMRepository", library: "Crypto", files: 2),
    Binding(module: "DTMFolder", library: "CSQLite", files: 1),
    Binding(module: "DTMDaemon", library: "CSystemd", files: 1),
  ]

  /// Unsafe code in a file that is neither DTMSystem's nor a binding.
  static func violations(in file: SourceFile) -> [Violation] {
    if file.module == "DTMSystem" { return [] }
    if bindings.contains(where: { isBinding(file, of: $0) }) { return [] }
    return places(in: file).map { index, word in
      Violation(file, index, "`\(word)` outside DTMSystem and the bindings")
    }
  }

  /// Bindings that are spread over more files than one binding needs.
  static func spreadBindings(in files: [SourceFile]) -> [String] {
    bindings.compactMap { binding in
      let holders = files.filter {
        isBinding($0, of: binding) && !places(in: $0).isEmpty
      }
      if holders.count <= binding.files { return nil }
      let paths = holders.map(\.path).sorted().joined(separator: ", ")
      return "\(binding.library) is bound with unsafe code in \(holders.count) files: \(paths)"
    }
  }

  private static func isBinding(_ file: SourceFile, of binding: Binding) -> Bool {
    file.module == binding.module
      && ImportRules.imports(of: file).contains { $0.module == binding.library }
  }

  private static func places(in file: SourceFile) -> [(line: Int, word: String)] {
    file.code.indices.flatMap { index -> [(line: Int, word: String)] in
      let tokens = Token.tokens(of: file.code[index])
      return tokens.indices.compactMap { position in
        isUnsafe(tokens, at: position) ? (index, tokens[position].text) : nil
      }
    }
  }

  private static func isUnsafe(_ tokens: [Token], at position: Int) -> Bool {
    let word = tokens[position].text
    switch word {
    case "unsafe":
      // Not `nonisolated(unsafe)`, which has a rule of its own.
      return
        !(position >= 2 && tokens[position - 1].text == "("
        && tokens[position - 2].text == "nonisolated")
    case "Unmanaged", "OpaquePointer", "unsafeBitCast", "unsafeDowncast":
      return true
    default:
      return word.hasPrefix("withUnsafe")
        || (word.hasPrefix("Unsafe") && word.hasSuffix("Pointer"))
    }
  }
}
