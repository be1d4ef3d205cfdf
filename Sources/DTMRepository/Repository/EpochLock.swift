internal import DTMSystem
internal import SystemPackage

/// The locks by which sessions are counted: each holds the newest epoch's, shared, while it lives.
///
/// A collection begins a new epoch once it has condemned packs: sessions of the new one list the packs
/// anew, and so know none of those; what sessions of older ones still build on them is seen when all of
/// these have ended.
struct EpochLock {
  static let first = "locks/epoch-1"
  private static let prefix = "epoch-"

  /// The epoch, by the name of its file.
  let name: String
  private let file: any OpenFile

  /// Holds that the lock excludes somebody still: lock files are caches that may be deleted. Throws
  /// `.locked` where this one was.
  func check() throws(RepositoryError) {
    let links = try onFile(name, "stat") { () throws(Errno) in try file.identity().links }
    if links > 0 { return }
    throw RepositoryError(
      .locked, "\(name) was deleted: what was written may be collected; try again", file: name)
  }

  /// The newest epoch's lock as sessions hold it, for somebody who only reads: nil where it can't be had
  /// at once.
  static func forReading(_ files: any FileOperations) -> EpochLock? {
    do throws(RepositoryError) {
      guard let name = try existing(files).last else { return nil }
      do throws(Errno) {
        let file = try files.open(name, writable: false)
        return try file.lock(.shared, wait: false) ? EpochLock(name: name, file: file) : nil
      } catch { return nil }
    } catch { return nil }
  }

  /// The newest epoch's lock, shared, as sessions hold it. Waits only for a repair.
  static func shared(_ files: any FileOperations) throws(RepositoryError) -> EpochLock {
    while true {
      guard let name = try names(files).last else { continue }
      let file: any OpenFile
      do throws(Errno) { file = try files.open(name, writable: false) } catch {
        if error == .noSuchFileOrDirectory { continue }
        throw RepositoryError(error, "open", file: name)
      }
      _ = try onFile(name, "lock") { () throws(Errno) in try file.lock(.shared, wait: true) }
      // A collection may have begun a new epoch in between: then this one may be counted out.
      if try names(files).last == name { return EpochLock(name: name, file: file) }
    }
  }

  /// The newest epoch's name, for comparing; nil where there is none yet.
  static func newest(_ files: any FileOperations) throws(RepositoryError) -> String? {
    try existing(files).last
  }

  /// Begins an epoch after all others.
  static func begin(_ files: any FileOperations) throws(RepositoryError) {
    while true {
      let last = try names(files).last.flatMap(number) ?? 0
      let name = "locks/\(prefix)\(last + 1)"
      do throws(Errno) {
        _ = try files.create(name, mode: 0o600)
        return
      } catch {
        if error != .fileExists { throw RepositoryError(error, "create", file: name) }
      }
    }
  }

  /// Removes the epochs before the newest in which no session is left; returns whether all are gone.
  static func endOlder(_ files: any FileOperations) throws(RepositoryError) -> Bool {
    var areOver = true
    for name in try names(files).dropLast() {
      do throws(Errno) {
        let file = try files.open(name, writable: true)
        if try file.lock(.exclusive, wait: false) {
          try files.remove(name)
        } else {
          areOver = false
        }
      } catch {
        if error != .noSuchFileOrDirectory { throw RepositoryError(error, "end", file: name) }
      }
    }
    return areOver
  }

  /// All epochs' locks, exclusive: no session is left, and none begins while they are held. Nil while
  /// there is one.
  static func exclusive(_ files: any FileOperations) throws(RepositoryError) -> [EpochLock]? {
    while true {
      var held: [EpochLock] = []
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
        held.append(EpochLock(name: name, file: file))
      }
      if held.count == all.count, try names(files) == all { return held }
    }
  }

  /// The epochs' files, the newest last; one at least, as a lock file holds nothing and is made anew.
  private static func names(_ files: any FileOperations) throws(RepositoryError) -> [String] {
    let names = try existing(files)
    if !names.isEmpty { return names }
    do throws(Errno) { _ = try files.create(first, mode: 0o600) } catch {
      if error != .fileExists { throw RepositoryError(error, "create", file: first) }
    }
    return [first]
  }

  private static func existing(_ files: any FileOperations) throws(RepositoryError) -> [String] {
    let names = try onFile("locks", "list") { () throws(Errno) in try files.list("locks") }
    return names.map { "locks/" + $0 }.compactMap(number).sorted().map { "locks/\(prefix)\($0)" }
  }

  private static func number(_ name: String) -> Int? {
    let start = "locks/" + prefix
    return name.hasPrefix(start) ? Int(name.dropFirst(start.count)) : nil
  }
}
