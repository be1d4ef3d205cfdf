extension Workloads {
  private static let ourSnapshots = 1000
  private static let peersSnapshots = 20
  private static let starts = 100

  /// What a program costs that has nearly nothing to do.
  static let smallest: [Workload] = [
    Workload(
      name: "tiny", title: "One snapshot of 20 small files (dtm: of 1,000 in a row)",
      goals: [Goal(figure: .cpu, most: 0.004, plus: "dtm --version")], mostRuns: 1,
      contenders: { bench in
        let files = TinyFolder()
        let tools = try bench.tools.map { tool in
          let place = try bench.place(tool.name, files)
          let count = tool is DTM ? ourSnapshots : peersSnapshots
          return Contender(
            name: tool.name,
            setUp: { _ = try measure(tool.create(place) + tool.snapshot(place, 1)) },
            measure: { _ in
              var sum = Measurement()
              for number in 0..<count {
                try Edits.change(1, of: files, in: place.tree, round: number)
                sum = try sum + measure(tool.snapshot(place, number + 2))
              }
              return sum.divided(by: count)
            })
        }
        return tools + [start(bench)]
      }),
    Workload(
      name: "start", title: "Start of the program (of 100 in a row)",
      goals: [Goal(figure: .cpu, most: 0.005, contender: "dtm --version")],
      contenders: { [start($0)] }),
  ]

  private static func start(_ bench: Bench) -> Contender {
    let command = bench.dtm.version
    return Contender(
      name: "dtm --version",
      measure: { _ in
        try measure(Array(repeating: command, count: starts)).divided(by: starts)
      })
  }
}
