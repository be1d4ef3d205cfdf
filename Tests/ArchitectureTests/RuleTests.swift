import Testing

/// Each rule on small sources: what it finds, and what it lets be.
@Suite struct `The rules` {
  private func file(_ text: String, in path: String = "Sources/DTMFolder/Scan.swift") -> SourceFile
  {
    SourceFile(path: path, text: text)
  }

  // MARK: the mask

  @Test(arguments: [
    ("a // b", "a     "),
    ("a /* b /* c */ d */ e", "a                   e"),
    (#"f("try! x") g"#, #"f("      ") g"#),
    (#"f("a \(g("b", try! h()).i) c") j"#, #"f("  \(g(" ", try! h()).i)  ") j"#),
    (##"f(#"a"b\"# + x)"##, ##"f(#"    "# + x)"##),
    (#"f("\"//") // c"#, #"f("    ")     "#),
  ])
  func `comments and text are blanked, interpolations are not`(_ text: String, _ masked: String) {
    #expect(file(text).code == [masked])
  }

  @Test func `lines keep their numbers through literals of many lines`() {
    let source = file("let a = \"\"\"\n  import Foundation\n  \"\"\"\nimport Glibc\n")
    #expect(ImportRules.imports(of: source).map(\.module) == ["Glibc"])
    #expect(ImportRules.imports(of: source).map(\.line) == [3])
    #expect(source.lines.count == 4)
  }

  // MARK: imports

  @Test(arguments: [
    "import Crypto", "internal import Crypto", "@preconcurrency package import Crypto",
    "internal import struct Crypto.SHA256", "import DTMSystem; import Crypto",
    "@_exported import Crypto",
  ])
  func `an arrow that the table lacks is found, with its line`(_ line: String) {
    let found = ImportRules.violations(in: file("// head\n\n\(line)\n"))
    #expect(
      found.map(\.description)
        == ["Sources/DTMFolder/Scan.swift:3: DTMFolder may not import Crypto"])
  }

  @Test func `arrows of the table pass`() {
    let text = "internal import CSQLite\npackage import DTMRepository\nimport Synchronization\n"
    #expect(ImportRules.violations(in: file(text)).isEmpty)
  }

  @Test(arguments: ["Foundation", "FoundationNetworking", "FoundationInternationalization"])
  func `full Foundation is found`(_ module: String) {
    let found = ImportRules.violations(in: file("import \(module)\n", in: "Sources/dtm/P.swift"))
    #expect(found.count == 1)
    #expect(found.first?.message.contains("full Foundation") == true)
  }

  @Test func `FoundationEssentials is in no row of the table`() {
    #expect(ImportRules.violations(in: file("import FoundationEssentials\n")).count == 1)
  }

  @Test func `a target that the table lacks is found`() {
    let found = ImportRules.violations(in: file("import Swift\n", in: "Sources/Extra/A.swift"))
    #expect(found.map(\.message) == ["Extra is not in the table of the architecture"])
  }

  private static let manifest = """
    let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
    let logging: Target.Dependency =
      .product(name: "Logging", package: "swift-log")
    func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target { }
    targets: [
      .target(name: "CLinux"),
      module("DTMSystem", ["CLinux"]),
      module(
        "DTMRepository",
        [
          "DTMSystem", crypto,
        ]),
      module("DTMRules", ["DTMSystem", logging]),
      program("dtm", ["DTMCommands"]),
    ]
    """

  @Test func `the manifest is understood`() {
    #expect(
      Manifest(text: Self.manifest).dependencies == [
        "DTMSystem": ["CLinux"], "DTMRepository": ["DTMSystem", "Crypto"],
        "DTMRules": ["DTMSystem", "Logging"], "dtm": ["DTMCommands"],
      ])
  }

  @Test func `a dependency that the table lacks is found in the manifest`() {
    #expect(
      Manifest(text: Self.manifest).violations
        == ["Package.swift: DTMRules may not depend on Logging"])
  }

  @Test func `an import that the manifest does not declare is found`() {
    let source = file("import DTMSystem\nimport CZstd\n", in: "Sources/DTMRepository/A.swift")
    let found = ImportRules.undeclared(in: source, manifest: Manifest(text: Self.manifest))
    #expect(found.map(\.line) == [2])
  }

  // MARK: unsafe code

  @Test(arguments: [
    "let a = unsafe b.baseAddress", "func f(_ a: UnsafePointer<UInt8>)",
    "var a: UnsafeMutableRawBufferPointer", "let a = Unmanaged.passRetained(b)",
    "a.withUnsafeBytes { _ in }", "var handle: OpaquePointer", "unsafeBitCast(a, to: Int.self)",
    "print(\"\\(unsafe a.pointee)\")",
  ])
  func `unsafe code outside the bindings is found`(_ line: String) {
    #expect(UnsafeCode.violations(in: file("\n\(line)\n")).first?.line == 2)
    #expect(UnsafeCode.violations(in: file("import CSQLite\n\(line)\n")).isEmpty)
    #expect(UnsafeCode.violations(in: file(line, in: "Sources/DTMSystem/A.swift")).isEmpty)
  }

  @Test func `a library is no excuse in another module`() {
    let text = "import Crypto\nlet a = unsafe b\n"
    #expect(UnsafeCode.violations(in: file(text, in: "Sources/DTMFolder/A.swift")).count == 1)
    #expect(UnsafeCode.violations(in: file(text, in: "Sources/DTMRepository/A.swift")).isEmpty)
  }

  @Test func `words about unsafe things are no unsafe code`() {
    #expect(UnsafeCode.violations(in: file("// unsafe UnsafePointer\nlet isUnsafe = 1\n")).isEmpty)
  }

  @Test func `a binding spread over files is found`() {
    let one = file("import CSQLite\nlet a = unsafe b\n", in: "Sources/DTMFolder/A.swift")
    let two = file("import CSQLite\nlet a = unsafe b\n", in: "Sources/DTMFolder/B.swift")
    let safe = file("import CSQLite\nlet a = b\n", in: "Sources/DTMFolder/C.swift")
    #expect(UnsafeCode.spreadBindings(in: [one, safe]).isEmpty)
    #expect(UnsafeCode.spreadBindings(in: [one, two]).count == 1)
  }

  // MARK: words

  @Test(arguments: [
    "try! a()", "a as! B", "fatalError(\"x\")", "a!.b", "a[0]! + 1", "f()!", "var a: B!",
    "DispatchQueue.global().async { }", "public struct A {}", "public static let a = 1",
    "open class A {}", "\"\\(a!)\"",
  ])
  func `a forbidden form is found`(_ line: String) {
    #expect(Words.forbiddenForms(in: file("let x = 1\n\(line)\n")).map(\.line) == [2])
  }

  @Test(arguments: [
    "if !a { }", "a != b", "a!=b", "(!a)", "// try! a", "\"stop!\"", "try? a()", "a as? B",
    "let open = 1", "open(path)", "precondition(a, \"b\")",
  ])
  func `what looks like a forbidden form is let be`(_ line: String) {
    #expect(Words.forbiddenForms(in: file(line)).isEmpty)
  }

  @Test(arguments: [
    "final class A: @unchecked Sendable {}", "nonisolated(unsafe) private var a = 1",
  ])
  func `a claim about concurrency needs its proof right above`(_ line: String) {
    #expect(Words.unprovenConcurrency(in: file("// proof\n\n\(line)\n")).map(\.line) == [3])
    #expect(Words.unprovenConcurrency(in: file("let a = 1 // no\n\(line)\n")).map(\.line) == [2])
    #expect(Words.unprovenConcurrency(in: file("// proof\n\(line)\n")).isEmpty)
    #expect(Words.unprovenConcurrency(in: file("/// proof\n\(line)\n")).isEmpty)
  }

  @Test(arguments: [
    "struct PackManager {}", "enum PathUtil {}", "final class TestHelper {}", "actor Utilities {}",
    "protocol FileHelpers {}", "typealias Utils = A",
  ])
  func `a name that says nothing is found`(_ line: String) {
    #expect(Words.emptyNames(in: file(line)).count == 1)
  }

  @Test(arguments: ["struct Utilization {}", "struct Pack {}", "let pathManager = 1"])
  func `other names are let be`(_ line: String) {
    #expect(Words.emptyNames(in: file(line)).isEmpty)
  }

  // MARK: declarations

  @Test func `a file of 601 lines is too long`() {
    let bearable = String(repeating: "a\n", count: 600)
    #expect(Declarations.tooLong(file(bearable)).isEmpty)
    #expect(Declarations.tooLong(file(bearable + "a\n")).count == 1)
  }

  @Test(arguments: [
    "package struct A {", "package private(set) var a = 1", "package static let a = 1",
    "@inlinable package func f() {", "package init(a: Int) {", "  package final class A {",
    "@available(*, deprecated) package func f()", "package mutating func f()",
    "nonisolated package var a: Int", "package indirect enum A {", "package subscript(a: Int)",
  ])
  func `a package declaration needs a doc comment`(_ line: String) {
    let found = Declarations.undocumented(in: file("let x = 1\n\(line)\n"))
    #expect(found.map(\.line) == [2])
    let isMember = line.contains(" let ") || line.contains(" var ") || line.contains(" init")
    #expect(found.map(\.isWarning) == [isMember])
    #expect(Declarations.undocumented(in: file("/// Is.\n\(line)\n")).isEmpty)
    #expect(Declarations.undocumented(in: file("/// Is.\n@inlinable\n\(line)\n")).isEmpty)
    #expect(Declarations.undocumented(in: file("// Is not.\n\(line)\n")).count == 1)
    #expect(Declarations.undocumented(in: file("/// Is not.\n\n\(line)\n")).count == 1)
  }

  @Test func `one comment may speak for properties on neighbouring lines`() {
    let run =
      "/// Bits.\npackage static let a = 1\n  package let b: Int\npackage var c: Int { 1 }\n"
    #expect(Declarations.undocumented(in: file(run)).isEmpty)
    #expect(Declarations.undocumented(in: file(run + "\npackage let d = 1\n")).map(\.line) == [6])
    #expect(Declarations.undocumented(in: file(run + "package func f()\n")).map(\.line) == [5])
    #expect(Declarations.undocumented(in: file("struct A {\npackage let a = 1\n")).count == 1)
  }

  @Test func `a protocol's comment speaks for the methods that meet it`() {
    let text = "package protocol A {\n  func a() -> B\n}\nstruct C {\n  func d() {}\n}\n"
    let requirements = Declarations.requirements(of: [file(text)])
    #expect(requirements == ["a"])
    let witness = file("let x = 1\npackage func a() -> B {\n")
    #expect(Declarations.undocumented(in: witness, requirements: requirements).isEmpty)
    #expect(Declarations.undocumented(in: witness).count == 1)
  }

  @Test(arguments: [
    "package import DTMSystem", "let package = 1", "struct A {", "private func f()",
    "package let rawValue: Int32", "package init(rawValue: Int32) {",
    "package var description: String {", "package func hash(into hasher: inout Hasher)",
    "package static func == (a: A, b: A) -> Bool", "package static func < (a: A, b: A) -> Bool",
  ])
  func `imports, narrower declarations and witnesses need none`(_ line: String) {
    #expect(Declarations.undocumented(in: file("let x = 1\n\(line)\n")).isEmpty)
  }
}
