internal import DTMControl
internal import DTMSystem
internal import SystemPackage

/// One client of the control server; lives on the server's thread alone.
///
/// One call at a time: what a client sends ahead waits in its socket, so a connection holds at most
/// one message and one answer, or what a stream has for it.
struct ControlConnection {
  /// What to do after input or output.
  enum Step {
    case goOn
    case call(VarlinkCall)
    case close
  }

  /// How much is read at once, so that one who floods does not hold the others up.
  private static let readLimitInBytes = 64 * 1024

  let stream: UnixStream
  let peer: PeerCredentials
  /// The call that waits for its answer.
  var pending: ControlReply?
  /// What to run when the connection ends.
  var endings: [@Sendable () -> Void] = []
  /// When a client that began something and does not go on is given up; nil when it owes nothing.
  private(set) var patience: Deadline?

  private var decoder = MessageDecoder()
  private var output: ArraySlice<UInt8> = []
  private var isInputEnded = false
  private let stallLimit: Duration

  /// `stallLimit`: how long half a message, or an answer that is not fetched, is waited for.
  init(stream: UnixStream, peer: PeerCredentials, stallLimit: Duration) {
    self.stream = stream
    self.peer = peer
    self.stallLimit = stallLimit
  }

  /// What to wait for; a connection that ends is reported whatever is wanted.
  var wanted: PollEntry.Events {
    if !output.isEmpty { return .writable }
    return pending == nil && !isInputEnded ? .readable : []
  }

  /// Reads what is there.
  mutating func receive() -> Step {
    do throws(Errno) {
      guard let bytes = try stream.read(limit: Self.readLimitInBytes) else { return .goOn }
      if bytes.isEmpty {
        isInputEnded = true
      } else {
        decoder.append(bytes)
      }
    } catch {
      return .close
    }
    return nextCall()
  }

  /// The next call that is here whole, once the one before is answered.
  mutating func nextCall() -> Step {
    if pending != nil || !output.isEmpty { return .goOn }
    do throws(ControlError) {
      if let message = try decoder.next() {
        patience = nil
        return .call(try VarlinkCall(parsing: message))
      }
    } catch {
      // One who does not speak Varlink can't be answered in it.
      return .close
    }
    if isInputEnded { return .close }
    if !decoder.hasPartialMessage {
      patience = nil
    } else if patience == nil {
      patience = .after(stallLimit)
    }
    return .goOn
  }

  /// Takes the answer to the pending call and sends what the socket takes.
  mutating func answer(_ bytes: [UInt8]) -> Step {
    pending = nil
    output = bytes[...]
    patience = output.isEmpty ? nil : .after(stallLimit)
    return flush()
  }

  /// Sends what the stream of the pending call has, once what it had before is sent.
  ///
  /// One who does not fetch it is not given up: the stream holds little, and drops the rest.
  mutating func pull() -> Step {
    guard output.isEmpty, let replies = pending?.stream else { return .goOn }
    let (bytes, isLast) = replies.take()
    if isLast { return answer(bytes) }
    if bytes.isEmpty { return .goOn }
    output = bytes[...]
    return flush()
  }

  /// Sends what the socket takes of the answer.
  mutating func flush() -> Step {
    while !output.isEmpty {
      do throws(Errno) {
        let count = try stream.write(output)
        if count == 0 { return .goOn }
        output = output.dropFirst(count)
        if pending == nil { patience = .after(stallLimit) }
      } catch {
        return .close
      }
    }
    output = []
    patience = nil
    return pending?.stream == nil ? nextCall() : pull()
  }

  /// Whether an answer is not fetched yet; a stream's reader is not waited for.
  var hasOutput: Bool { !output.isEmpty && pending == nil }
}
