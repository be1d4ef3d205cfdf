internal import DTMSystem
internal import SystemPackage

/// Room that is kept for freeing room: `reserve`, a file of zeros that counts for nothing.
extension Repository {
  private static var reserveName: String { "reserve" }
  /// A hundredth of the packs, at most so many bytes; none below the least.
  private static var reserveShare: Int { 100 }
  private static var mostReserve: Int { 32 << 20 }
  private static var leastReserve: Int { 64 << 10 }

  /// Does something that frees room; where the disk is full, once more without the reserve.
  package func onFullDisk<Result>(
    _ body: () throws(RepositoryError) -> Result
  ) throws(RepositoryError) -> Result {
    do throws(RepositoryError) { return try body() } catch {
      guard error.code == .noSpace, releaseReserve() else { throw error }
      return try body()
    }
  }

  /// Gives the reserve's room back; false where there is none.
  private func releaseReserve() -> Bool {
    do throws(Errno) {
      try files.remove(Self.reserveName)
      return true
    } catch { return false }
  }

  /// Sees to it that there is a reserve of a size that suits the packs. A cache of room: that it can't be
  /// had is no failure.
  func keepReserve() {
    do throws(Errno) {
      var packBytes = 0
      for directory in ["packs", "live"] {
        for name in try files.list(directory) {
          packBytes += try files.open("\(directory)/\(name)", writable: false).size()
        }
      }
      let wanted = min(packBytes / Self.reserveShare, Self.mostReserve)
      if wanted < Self.leastReserve { return }
      let file: any OpenFile
      do throws(Errno) { file = try files.open(Self.reserveName, writable: true) } catch {
        if error != .noSuchFileOrDirectory { throw error }
        file = try files.create(Self.reserveName, mode: 0o600)
      }
      var position = try file.size()
      // It grows with the repository, in large steps; that it is too large after a pruning is no harm.
      if position * 2 > wanted { return }
      do throws(Errno) {
        while position < wanted {
          let part = [UInt8](repeating: 0, count: min(1 << 20, wanted - position))
          try file.write(part, at: position)
          position += part.count
        }
      } catch {
        // Half of it would be all that is left for others.
        try files.remove(Self.reserveName)
      }
    } catch { return }
  }
}
