internal import Glibc

/// One inotify event.
package struct NotifyEvent {
  /// The watch that tells it; -1 for an overflow.
  package let watch: Int32
  package let mask: NotifyMask
  /// Joins the two halves of a rename; 0 otherwise.
  package let cookie: UInt32
  /// The name in the watched directory, any bytes but `/` and NUL; empty when the event is about
  /// the directory itself. A slice of the batch: copy what has to outlive the next read.
  package let name: ArraySlice<UInt8>

  package init(watch: Int32, mask: NotifyMask, cookie: UInt32, name: ArraySlice<UInt8>) {
    self.watch = watch
    self.mask = mask
    self.cookie = cookie
    self.name = name
  }
}

/// A buffer into which an instance's events are read; made once and used again.
package struct NotifyBatch: Sendable {
  /// Large reads are what makes an overflow rare: one call takes up to 16,000 events.
  package static let capacity = 256 * 1024
  /// struct inotify_event: wd 4, mask 4, cookie 4, len 4, then `len` bytes of name and NULs.
  private static let headerLength = 16

  var bytes = [UInt8](repeating: 0, count: NotifyBatch.capacity)
  /// How many bytes the last read gave.
  package internal(set) var count = 0

  package init() {}

  /// Calls `body` for each event, in the order in which they happened.
  package func visit<Failure: Error>(
    _ body: (NotifyEvent) throws(Failure) -> Void
  ) throws(Failure) {
    var offset = 0
    while offset + Self.headerLength <= count {
      let nameStart = offset + Self.headerLength
      let padded = Int(word(at: offset + 12))
      let end = min(nameStart + padded, count)
      var nameEnd = nameStart
      while nameEnd < end, bytes[nameEnd] != 0 { nameEnd += 1 }
      try body(
        NotifyEvent(
          watch: Int32(bitPattern: word(at: offset)),
          mask: NotifyMask(rawValue: word(at: offset + 4)),
          cookie: word(at: offset + 8),
          name: bytes[nameStart..<nameEnd]))
      offset = end
    }
  }

  /// In the machine's byte order, as the kernel writes it.
  private func word(at offset: Int) -> UInt32 {
    unsafe bytes.span.withUnsafeBytes {
      unsafe $0.loadUnaligned(fromByteOffset: offset, as: UInt32.self)
    }
  }
}
