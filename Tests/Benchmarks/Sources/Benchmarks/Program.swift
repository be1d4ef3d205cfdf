import ArgumentParser
import Glibc

@main struct Benchmarks: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "benchmarks",
    abstract: "Measure dtm and dtmd beside other programs",
    discussion: """
      Works in a new directory beneath TMPDIR, which is removed at the end. Prints a table as \
      Markdown on standard output, what it does on standard error.
      """)

  @Option(help: ArgumentHelp("Only the workloads whose name begins so", valueName: "name"))
  var only: [String] = []
  @Option(help: "So many runs of each")
  var runs = 5
  @Flag(help: "Only dtm, no other programs")
  var noPeers = false
  @Flag(help: "One run of each")
  var quick = false
  @Flag(help: "Folders of a million files too")
  var long = false
  @Flag(help: "Only say which workloads there are")
  var list = false
  @Option(help: ArgumentHelp("The folder of dtm and dtmd", valueName: "dir"))
  var programs = ".build-static/programs"
  @Option(help: ArgumentHelp("Only make the data set of that name in DIR", valueName: "name"))
  var make: String?
  @Argument(help: .hidden) var directory: String?

  func validate() throws {
    if runs < 1 { throw ValidationError("--runs is at least 1") }
    for name in only where !Workloads.all.contains(where: { $0.name.hasPrefix(name) }) {
      throw ValidationError("no workload begins with \(name); --list names them")
    }
  }

  func run() throws {
    if list {
      for workload in Workloads.all { print(workload.name, workload.title, separator: "\t") }
      return
    }
    Interruption.install()
    do {
      if let make { try makeData(make) } else { try measureAll() }
    } catch let interrupted as Interrupted {
      throw ExitCode(128 + interrupted.signal)
    }
  }

  private func makeData(_ name: String) throws {
    guard let directory, let dataset = Datasets.named(name) else {
      throw ValidationError("--make \(Datasets.all.map(\.name).joined(separator: "|")) DIR")
    }
    try Files.makeDirectory(directory)
    try dataset.make(in: directory)
  }

  private func measureAll() throws {
    let directory = try Scratch()
    defer { directory.remove() }
    let bench = Bench(
      dtm: DTM(programs: try absolute(programs)), peers: noPeers ? [] : Peers.installed(),
      runs: quick ? 1 : runs, directory: directory.path)
    for line in try Machine.lines(bench) { print(line) }
    print("* median of \(quick ? 1 : runs) runs (least … most)\n\n\(Table.head)")
    for workload in Workloads.all where isWanted(workload) {
      say(workload.name)
      for line in Table.lines(workload, try bench.results(of: workload)) { print(line) }
      fflush(nil)
    }
  }

  private func isWanted(_ workload: Workload) -> Bool {
    if only.isEmpty { return long || !workload.isLong }
    return only.contains { workload.name.hasPrefix($0) } && (long || !workload.isLong)
  }

  private func absolute(_ path: String) throws -> String {
    guard let resolved = realpath(path, nil) else { throw SystemFailure("realpath", path) }
    defer { free(resolved) }
    let folder = String(cString: resolved)
    for program in ["dtm", "dtmd"] where !Files.isThere("\(folder)/\(program)") {
      throw ValidationError("\(folder) has no \(program): build it with packaging/build.sh")
    }
    return folder
  }

  private func say(_ text: String) {
    let line = Array((text + "\n").utf8)
    _ = write(STDERR_FILENO, line, line.count)
  }
}
