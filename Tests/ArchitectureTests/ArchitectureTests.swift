import Testing

/// The rules, held against the package.
@Suite struct `The package` {
  private func expectNone(_ rule: (SourceFile) -> [Violation]) throws {
    let files = try PackageTree.sources()
    try #require(!files.isEmpty, "no sources beneath \(PackageTree.root)")
    for violation in files.flatMap(rule) {
      Issue.record("\(violation)", severity: violation.isWarning ? .warning : .error)
    }
  }

  @Test func `imports only what the table of the architecture has`() throws {
    try expectNone(ImportRules.violations(in:))
  }

  @Test func `imports only what Package.swift declares`() throws {
    let manifest = try PackageTree.manifest()
    try #require(manifest.dependencies["DTMSystem"] != nil, "Package.swift was not understood")
    for violation in manifest.violations { Issue.record("\(violation)") }
    try expectNone { ImportRules.undeclared(in: $0, manifest: manifest) }
  }

  @Test func `has unsafe code in DTMSystem and the bindings only`() throws {
    try expectNone(UnsafeCode.violations(in:))
    for spread in UnsafeCode.spreadBindings(in: try PackageTree.sources()) {
      Issue.record("\(spread)")
    }
  }

  @Test func `has no form that stops the program, and nothing public`() throws {
    try expectNone(Words.forbiddenForms(in:))
  }

  @Test func `proves each unchecked claim about concurrency in a comment`() throws {
    try expectNone(Words.unprovenConcurrency(in:))
  }

  @Test func `has no type whose name says nothing`() throws {
    try expectNone(Words.emptyNames(in:))
  }

  @Test func `has files of bearable length`() throws {
    try expectNone(Declarations.tooLong(_:))
  }

  @Test func `documents what other targets use`() throws {
    let files = try PackageTree.sources()
    let requirements = Declarations.requirements(of: files)
    try expectNone { Declarations.undocumented(in: $0, requirements: requirements) }
  }
}
