import DTMFolder
import DTMRepository
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

/// Power loss at any instant of real snapshots and restores.
@Suite struct SnapshotCrashTests {
  @Test func `after a crash at any operation every acknowledged snapshot is there bit for bit`()
    throws
  {
    var generator = SplitMix.fresh("crashes of snapshots")
    try withTemporaryDirectory { directory in
      let scenario = try CrashScenario(directory, using: generator)
      try scenario.work(steps: 8)
      let instants = scenario.files.instants()
      let result = CrashEnumeration(instants, budget: 6000, using: &generator) { state, instant in
        scenario.problem(state, after: instant.operations)
      }
      print("8 snapshots, 2 restores and a conflict: \(result.summary)")
      #expect(result.problem == nil)
      #expect(result.states > 3000)
      try scenario.expectAllKinds()
    }
  }
}

extension CrashScenario {
  /// The work adopted, sealed, began segments: otherwise it shows too little.
  fileprivate func expectAllKinds() throws {
    let names = files.paths().keys
    #expect(names.count { $0.hasPrefix("packs/") && $0.hasSuffix(".data") } > 1)
    #expect(names.count { $0.hasPrefix("packs/") && $0.hasSuffix(".meta") } > 1)
    #expect(names.count { $0.hasPrefix("refs/") && $0.hasSuffix(".a") } > 1)
    #expect(undoable.map(\.kind) == ["restore", "restore"])
  }
}
