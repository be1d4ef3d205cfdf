internal import CSystemd
internal import DTMSystem

/// libsystemd's functions: the only unsafe code of this module.
enum Systemd {
  /// Sends one entry, a field `NAME=value` each (sd_journal_sendv(3)).
  ///
  /// Blocks while journald's queue is full.
  static func sendToJournal(_ fields: [String]) {
    // All fields in one buffer, which does not move while the vectors point into it.
    var bytes: [UInt8] = []
    var lengths: [Int] = []
    for field in fields {
      bytes += field.utf8
      lengths.append(field.utf8.count)
    }
    unsafe bytes.withUnsafeMutableBytes { buffer in
      var vectors: [iovec] = unsafe []
      var start = 0
      for length in lengths {
        let base = unsafe buffer.baseAddress.map { unsafe $0 + start }
        unsafe vectors.append(iovec(iov_base: base, iov_len: length))
        start += length
      }
      _ = unsafe sd_journal_sendv(vectors, Int32(vectors.count))
    }
  }

  /// Tells the service manager (sd_notify(3)); nothing happens where there is none.
  static func notify(_ state: String) {
    unsafe sd_notify(0, state)
  }

  /// The time after which the service manager takes this process for hung (sd_watchdog_enabled(3));
  /// nil where it does not watch it.
  static var watchdogLimit: Duration? {
    var microseconds: UInt64 = 0
    guard unsafe sd_watchdog_enabled(0, &microseconds) > 0, microseconds < UInt64(Int64.max) else {
      return nil
    }
    return .microseconds(Int64(microseconds))
  }

  /// The first descriptor that the service manager passed which is a listening unix stream socket
  /// (sd_listen_fds(3)); the environment is cleared of it.
  static func takeListeningSocket() -> Int32? {
    let first: Int32 = 3  // SD_LISTEN_FDS_START
    let count = sd_listen_fds(1)
    guard count > 0 else { return nil }
    return (first..<first + count).first {
      sd_is_socket_unix($0, UnixListener.socketType, 1, nil, 0) > 0
    }
  }
}
