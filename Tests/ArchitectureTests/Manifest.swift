/// What Package.swift gives to each target, read from its text.
///
/// Understands the form that the file has: `module("Name", [ … ])` and `program(…)`, dependencies
/// as string literals or as constants bound to `.product(name: "X", …)`.
struct Manifest {
  /// Target → modules it may see. Targets of tests are left out.
  let dependencies: [String: Set<String>]

  init(text: String) {
    let pieces = Self.pieces(of: text)
    let products = Self.products(in: pieces)
    var dependencies: [String: Set<String>] = [:]
    for index in pieces.indices {
      guard pieces[index] == .word("module") || pieces[index] == .word("program"),
        index + 2 < pieces.count, pieces[index + 1] == .sign("("),
        case .literal(let name) = pieces[index + 2]
      else { continue }
      var modules: Set<String> = []
      var next = index + 3
      while next < pieces.count, pieces[next] != .sign("]") {
        switch pieces[next] {
        case .literal(let module): modules.insert(module)
        case .word(let constant): modules.insert(products[constant] ?? constant)
        case .sign: break
        }
        next += 1
      }
      dependencies[name] = modules
    }
    self.dependencies = dependencies
  }

  /// Targets that are given more than the table allows.
  var violations: [String] {
    dependencies.sorted { $0.key < $1.key }.flatMap { target, modules -> [String] in
      guard let allowed = ImportRules.allowed[target] else {
        return ["Package.swift: \(target) is not in the table of the architecture"]
      }
      return modules.subtracting(allowed).sorted().map {
        "Package.swift: \(target) may not depend on \($0)"
      }
    }
  }

  private enum Piece: Equatable {
    case word(String)
    case literal(String)
    case sign(String)
  }

  private static func pieces(of text: String) -> [Piece] {
    let file = SourceFile(path: "Package.swift", text: text)
    return file.code.indices.flatMap { index -> [Piece] in
      let original = Array(file.lines[index].utf8)
      var openQuote: Int?
      return Token.tokens(of: file.code[index]).compactMap { token -> Piece? in
        guard token.text == "\"" else {
          return token.isWord ? .word(token.text) : .sign(token.text)
        }
        guard let start = openQuote else {
          openQuote = token.column
          return nil
        }
        openQuote = nil
        return .literal(String(decoding: original[(start + 1)..<token.column], as: UTF8.self))
      }
    }
  }

  /// `let crypto: Target.Dependency = .product(name: "Crypto", …)` → crypto: Crypto.
  private static func products(in pieces: [Piece]) -> [String: String] {
    var products: [String: String] = [:]
    var constant: String?
    for index in pieces.indices {
      if pieces[index] == .word("let"), index + 1 < pieces.count,
        case .word(let name) = pieces[index + 1]
      {
        constant = name
      }
      if pieces[index] == .word("product"), index + 4 < pieces.count,
        case .literal(let product) = pieces[index + 4], let name = constant
      {
        products[name] = product
      }
    }
    return products
  }
}
