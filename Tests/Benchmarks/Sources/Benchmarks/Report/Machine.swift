import Glibc

/// What the figures were taken on and with.
enum Machine {
  /// Lines of Markdown.
  static func lines(_ bench: Bench) throws -> [String] {
    var facts = utsname()
    uname(&facts)
    let release = withUnsafeBytes(of: facts.release) { text in
      String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    }
    let cores = sysconf(Int32(_SC_NPROCESSORS_ONLN))
    let memory = (sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))) >> 30
    var now = time(nil)
    var calendar = tm()
    gmtime_r(&now, &calendar)
    let date = [calendar.tm_year + 1900, calendar.tm_mon + 1, calendar.tm_mday]
      .map { NestedName.padded(Int($0), 2) }.joined(separator: "-")
    return [
      "* \(date), Linux \(release), \(cores) × \(processor), \(memory) GiB, "
        + "load \(Files.text("/proc/loadavg")?.prefix { $0 != " " } ?? "?") at the start",
      "* " + (try bench.versions().joined(separator: ", ")),
    ]
  }

  private static var processor: String {
    let lines = (Files.text("/proc/cpuinfo") ?? "").split(separator: "\n")
    let line = lines.first { $0.hasPrefix("model name") }
    return line.flatMap { $0.split(separator: ": ").last.map(String.init) } ?? "unknown processor"
  }
}

extension Bench {
  /// A line from each program.
  fileprivate func versions() throws -> [String] {
    let output = place(named: "versions").output
    try Files.makeDirectory(place(named: "versions").base)
    return try tools.map { tool in
      try tool.version.writing(to: output).run()
      let line = Files.text(output)?.split(separator: "\n").first.map(String.init) ?? ""
      return line.hasPrefix(tool.name) ? line : "\(tool.name) \(line)"
    }
  }
}
