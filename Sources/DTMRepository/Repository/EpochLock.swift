internal import DTMSystem
internal import SystemPackage

/// The locks by which sessions are counted: each holds the newest epoch's, shared, while it lives.
enum EpochLock {
  static let first = "locks/epoch-1"
  private static let prefix = "epoch-"

  /// The newest epoch's lock, shared, as sessions hold it. Waits only for a repair.
  static func shared(_ files: any FileOperations) throws(RepositoryError) -> any OpenFile {
    while true {
      guard let name = try names(files).last else { continue }
      let file: any OpenFile
      do throws(Errno) { file = try files.open(name, writable: false) } catch {
        if error == .noSuchFileOrDirectory { continue }
        throw RepositoryError(error, "open", file: name)
      }
      _ = try onFile(name, "lock") { () throws(Errno) in try file.lock(.shared, wait: true) }
      // A collection may have begun a new epoch in between: then this one may be counted out.
      if try names(files).last == name { return file }
    }
  }

  /// All epochs' locks, exclusive: no session is left, and none begins while they are held. Nil while
  /// there is one.
  static func exclusive(_ files: any FileOperations) throws(RepositoryError) -> [any OpenFile]? {
    while true {
      var held: [any OpenFile] = []
      let all = try names(files)
      for name in all {
        let file: any OpenFile
        do throws(Errno) { file = try files.open(name, writable: true) } catch {
          if error == .noSuchFileOrDirectory { continue }
          throw RepositoryError(error, "open", file: name)
        }
        let isOurs = try onFile(name, "lock") { () throws(Errno) in
          try file.lock(.exclusive, wait: false)
        }
        guard isOurs else { return nil }
        held.append(file)
      }
      if held.count == all.count, try names(files) == all { return held }
    }
  }

  /// The epochs' files, the newest last; one at least, as a lock file holds nothing and is made anew.
  private static func names(_ files: any FileOperations) throws(RepositoryError) -> [String] {
    let names = try onFile("locks", "list") { () throws(Errno) in try files.list("locks") }
    let numbers = names.compactMap { name in
      name.hasPrefix(prefix) ? Int(name.dropFirst(prefix.count)) : nil
    }
    if !numbers.isEmpty { return numbers.sorted().map { "locks/\(prefix)\($0)" } }
    do throws(Errno) { _ = try files.create(first, mode: 0o600) } catch {
      if error != .fileExists { throw RepositoryError(error, "create", file: first) }
    }
    return [first]
  }
}
