import Glibc

/// What a run has: options, programs, a directory for everything it makes.
final class Bench {
  let dtm: DTM
  private let runs: Int
  private let peers: [any Tool]
  private let directory: String
  private var made: Set<String> = []
  private var asideCount = 0
  private var workloadCount = 0

  /// `directory` is empty and ours. Peers that are not installed are left out.
  init(dtm: DTM, peers: [any Tool], runs: Int, directory: String) {
    self.dtm = dtm
    self.peers = peers
    self.runs = runs
    self.directory = directory
  }

  /// All programs that keep snapshots, ours first.
  var tools: [any Tool] { [dtm as any Tool] + peers }

  /// Whether programs beside ours are measured.
  var hasPeers: Bool { !peers.isEmpty }

  /// The tree of a dataset, made when it is first asked for; not to be changed.
  func tree(_ dataset: any Dataset) throws -> String {
    let tree = "\(directory)/data/\(dataset.name)"
    if made.insert(dataset.name).inserted {
      try Files.makeDirectory(tree)
      // By a process of its own: what this one needs is the least that its children seem to need.
      try Command("/proc/self/exe", "--make", dataset.name, tree).run()
    }
    return tree
  }

  /// Where the contender of that name works.
  func place(named name: String) -> Place { Place(base: "\(directory)/\(workloadCount)/\(name)") }

  /// That place with a copy of the dataset's tree and nothing else.
  func place(_ name: String, _ dataset: any Dataset) throws -> Place {
    let place = place(named: name)
    try Files.makeDirectory(place.home)
    try Command("cp", "-a", try tree(dataset), place.tree).run()
    return place
  }

  /// Has a path be free. Nothing is removed before the end: ext4 does not give a deleted inode again
  /// for minutes, and searching past many of them makes each new file ten times as expensive.
  func setAside(_ paths: String...) throws {
    for path in paths where Files.isThere(path) {
      asideCount += 1
      let aside = "\(directory)/aside-\(asideCount)"
      guard rename(path, aside) == 0 else { throw SystemFailure("rename", path) }
    }
  }

  /// Runs a workload: each round all contenders, so that a busy minute meets all of them.
  func results(of workload: Workload) throws -> [Result] {
    workloadCount += 1
    let contenders = try workload.contenders(self)
    var measurements = [[Measurement]](repeating: [], count: contenders.count)
    for contender in contenders { try contender.setUp() }
    for round in 0..<max(1, min(runs, workload.mostRuns)) {
      for (number, contender) in contenders.enumerated() {
        try contender.prepare(round)
        measurements[number].append(try contender.measure(round))
      }
    }
    for contender in contenders { try contender.tearDown() }
    return zip(contenders, measurements).map { Result(name: $0.name, runs: $1) }
  }
}

/// What one contender needed.
struct Result: Sendable {
  let name: String
  let runs: [Measurement]

  func spread(_ figure: Figure) -> Spread? { Spread(runs.compactMap { $0[figure] }) }
}
