/// Cuts a stream of bytes into messages that each end with a NUL, as Varlink frames them.
///
/// Memory is bounded: what it holds is at most one message of the limit plus what was appended at
/// once. Cost: each byte is looked at once, however the stream is split.
package struct MessageDecoder: Sendable {
  /// The largest message that the daemon takes, without its NUL.
  package static let limitInBytes = 1 << 20
  /// The largest reply that a client takes: what the daemon tells grows with its folders.
  package static let replyLimitInBytes = 16 << 20

  private let limitInBytes: Int

  private var buffer: [UInt8] = []
  /// Bytes at the start that were given out already.
  private var taken = 0
  /// Up to here the buffer holds no NUL.
  private var searched = 0

  /// `limitInBytes`: of one message.
  package init(limitInBytes: Int = MessageDecoder.limitInBytes) {
    self.limitInBytes = limitInBytes
  }

  /// Whether the start of a message is here whose end is not.
  package var hasPartialMessage: Bool { taken < buffer.count }

  /// Adds what was read.
  package mutating func append(_ bytes: [UInt8]) {
    if taken == buffer.count {
      buffer.removeAll(keepingCapacity: buffer.capacity <= 64 * 1024)
      taken = 0
      searched = 0
    }
    buffer += bytes
  }

  /// The next whole message, without its NUL; nil when more bytes are needed.
  ///
  /// Throws `.tooLarge`; the stream can't be read on then.
  package mutating func next() throws(ControlError) -> [UInt8]? {
    guard let end = buffer[searched...].firstIndex(of: 0) else {
      searched = buffer.count
      if buffer.count - taken > limitInBytes { throw .tooLarge }
      return nil
    }
    if end - taken > limitInBytes { throw .tooLarge }
    let message = Array(buffer[taken..<end])
    taken = end + 1
    searched = taken
    // Not at each message: that would move the rest of a long batch again and again.
    if taken >= 64 * 1024 {
      buffer.removeFirst(taken)
      taken = 0
      searched = 0
    }
    return message
  }
}
