import Glibc

/// What /proc says of a process.
struct ProcessFacts {
  private let identifier: pid_t

  init(of identifier: pid_t) { self.identifier = identifier }

  /// Bytes that it and its children caused to be written to storage.
  var bytesWritten: Int { field("write_bytes:", in: "io") }

  /// Resident memory, in bytes: all, the part that is its own, the part that files back, the peak.
  var resident: Int { field("VmRSS:", in: "status") * 1024 }
  var residentAnonymous: Int { field("RssAnon:", in: "status") * 1024 }
  var residentFile: Int { field("RssFile:", in: "status") * 1024 }
  var residentPeak: Int { field("VmHWM:", in: "status") * 1024 }

  /// CPU seconds of all its threads, also those that have ended; in nanoseconds, where /proc/PID/stat
  /// has hundredths.
  func cpuSeconds() throws -> Double {
    var clock: clockid_t = 0
    var time = timespec()
    guard clock_getcpuclockid(identifier, &clock) == 0, clock_gettime(clock, &time) == 0 else {
      throw SystemFailure("clock_getcpuclockid", "\(identifier)")
    }
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
  }

  private func field(_ name: String, in file: String) -> Int {
    let text = Files.text("/proc/\(identifier)/\(file)") ?? ""
    for line in text.split(separator: "\n") where line.hasPrefix(name) {
      return Int(line.dropFirst(name.count).split(whereSeparator: \.isWhitespace)[0]) ?? 0
    }
    return 0
  }
}
