import DTMControl
import DTMSystem
import Glibc
import SystemPackage

/// SplitMix64: small, seeded, the same everywhere.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}

/// A daemon of the tests' own: answers each message of one connection with the bytes of a closure.
final class ScriptedDaemon {
  let path: FilePath
  private let directory: String
  private let thread: DedicatedThread
  private let wake: WakeSignal
  private let calls = Monitor<[[UInt8]]>([])

  /// `answer`: what is sent for a message; nil ends the connection.
  init(answer: @escaping @Sendable ([UInt8]) -> [UInt8]?) throws {
    var template = Array("/tmp/dtm-control-XXXXXX".utf8CString)
    guard unsafe mkdtemp(&template) != nil else { throw Errno.current }
    directory = String(decoding: template.dropLast().map(UInt8.init(bitPattern:)), as: UTF8.self)
    path = FilePath(directory).appending("s")
    let listener = try UnixListener(path: path, mode: 0o600)
    let wake = try WakeSignal()
    self.wake = wake
    thread = try DedicatedThread(named: "scripted") { [calls] in
      do { try ScriptedDaemon.serve(listener, wake, calls, answer) } catch { return }
    }
  }

  deinit {
    wake.signal()
    thread.join()
    _ = unsafe unlink("\(directory)/s.lock")
    _ = unsafe rmdir(directory)
  }

  /// The messages that came, without their NUL.
  var received: [[UInt8]] { calls.withLock { $0 } }

  private static func serve(
    _ listener: UnixListener, _ wake: WakeSignal, _ calls: Monitor<[[UInt8]]>,
    _ answer: @Sendable ([UInt8]) -> [UInt8]?
  ) throws {
    var connection: UnixStream?
    var decoder = MessageDecoder()
    while true {
      var entries = [
        PollEntry(wake.descriptor, .readable), PollEntry(listener.descriptor, .readable),
      ]
      if let connection { entries.append(PollEntry(connection.descriptor, .readable)) }
      _ = try Poll.wait(for: &entries, until: .never)
      if !entries[0].found.isEmpty { return }
      if !entries[1].found.isEmpty {
        connection = try listener.accept()
        decoder = MessageDecoder()
        continue
      }
      guard let bytes = try connection?.read(limit: 65536) else { continue }
      if bytes.isEmpty { connection = nil }
      decoder.append(bytes)
      while let message = try decoder.next() {
        calls.update { $0.append(message) }
        guard let reply = answer(message) else {
          connection = nil
          break
        }
        try connection?.writeAll(reply, until: .after(.seconds(10)))
      }
    }
  }
}
