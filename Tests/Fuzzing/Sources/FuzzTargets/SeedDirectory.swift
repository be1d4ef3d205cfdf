internal import Glibc
internal import DTMSystem
internal import SystemPackage

/// Writes seeds to files.
enum SeedDirectory {
  /// Files `seed-0`, `seed-1`, …; ends the process.
  static func write(_ seeds: [[UInt8]], to directory: String) {
    do {
      let files = try SystemFileOperations(path: FilePath(directory))
      for (index, seed) in seeds.enumerated() {
        try? files.remove("seed-\(index)")
        try files.create("seed-\(index)", mode: 0o644).write(seed, at: 0)
      }
    } catch {
      fatalError("the seeds can't be written to \(directory): \(error)")
    }
    exit(0)
  }
}
