package import DTMSystem
internal import SystemPackage

/// When everything in the repository was last found sound: a file in `state/`, lost with the caches.
extension Repository {
  private static let verifiedName = "state/verified"
  /// An RFC 3339 time and more than that.
  private static let verifiedLimit = 64

  /// Remembers that all data was read and found sound.
  ///
  /// Not synchronised. Nothing where the repository can't be written to: who may only read it may verify it.
  package func noteVerified(at time: Timestamp) {
    let temporary = Self.verifiedName + ".new"
    do throws(Errno) {
      let file: any OpenFile
      do throws(Errno) {
        file = try files.create(temporary, mode: 0o600)
      } catch {
        // Left behind by one who was cut off.
        guard error == .fileExists else { throw error }
        try files.remove(temporary)
        file = try files.create(temporary, mode: 0o600)
      }
      try file.write(Array("\(time.rfc3339)\n".utf8), at: 0)
      try files.rename(temporary, to: Self.verifiedName)
    } catch {
      // As said: the next one is remembered.
    }
  }

  /// When all data was last read and found sound; nil where nobody knows.
  package var lastVerified: Timestamp? {
    do throws(Errno) {
      let bytes = try files.open(Self.verifiedName, writable: false)
        .read(at: 0, count: Self.verifiedLimit)
      guard bytes.last == UInt8(ascii: "\n") else { return nil }
      return Timestamp(rfc3339: String(decoding: bytes.dropLast(), as: UTF8.self))
    } catch {
      return nil
    }
  }
}
