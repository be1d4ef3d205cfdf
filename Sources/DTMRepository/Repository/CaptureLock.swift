package import DTMSystem
package import SystemPackage

/// Held by the one that captures a folder (format: locks).
package final class CaptureLock {
  static let name = "locks/capture"

  private let file: any OpenFile

  private init(_ file: any OpenFile) {
    self.file = file
  }

  /// The lock, or nil when another holds it; dropped with the last reference, at the latest with the
  /// process.
  static func take(
    _ files: any FileOperations, wait: Bool = false
  ) throws(RepositoryError) -> CaptureLock? {
    do throws(Errno) {
      let file = try openOrCreate(files)
      guard try file.lock(.exclusive, wait: wait) else { return nil }
      return CaptureLock(file)
    } catch { throw RepositoryError(error, "lock", file: name) }
  }

  /// Who holds it, for a message; nil where that can't be told.
  package static func holder(_ files: any FileOperations) -> Int? {
    do throws(Errno) {
      let file = try files.open(name, writable: false)
      let text = String(decoding: try file.read(at: 0, count: 32), as: UTF8.self)
      return Int(text.filter(\.isNumber))
    } catch {
      // The file is only asked for a name to tell.
      return nil
    }
  }

  /// Writes who holds it, for the message of those who wait.
  package func describe(pid: Int32) throws(Errno) {
    try file.truncate(to: 0)
    try file.write(Array("\(pid)\n".utf8), at: 0)
  }

  private static func openOrCreate(_ files: any FileOperations) throws(Errno) -> any OpenFile {
    do throws(Errno) { return try files.open(name, writable: true) } catch {
      if error != .noSuchFileOrDirectory { throw error }
    }
    do throws(Errno) { return try files.create(name, mode: 0o600) } catch {
      if error != .fileExists { throw error }
      return try files.open(name, writable: true)
    }
  }
}
