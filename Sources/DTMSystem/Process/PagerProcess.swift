internal import Glibc
package import SystemPackage

/// A shell command that reads what this process writes to it, and shows it.
package final class PagerProcess {
  private let pid: pid_t
  private var input: Descriptor?

  /// Starts `command` by `/bin/sh -c`; its standard input is a pipe, the rest is this process's.
  ///
  /// `environment`: what it gets to see.
  package init(command: String, environment: [String: String]) throws(Errno) {
    let ends = try Descriptor.pipeEnds()
    let reading = Descriptor(owning: ends.reading)
    input = Descriptor(owning: ends.writing)
    var order = ProgramOrder(
      ["/bin/sh", "-c", command].map { Array($0.utf8) },
      environment: environment.map { Array("\($0.key)=\($0.value)".utf8) })
    order.input = reading.rawValue
    pid = try ProgramStarter.spawn(order)
  }

  /// Writes to the command. Throws `.brokenPipe` when it reads no more.
  package func write(_ bytes: [UInt8]) throws(Errno) {
    // The optional of a move-only value can't be borrowed through a class: its number can.
    guard let number = input?.rawValue else { throw .brokenPipe }
    var done = 0
    while done < bytes.count {
      let start = done
      done += try unsafe bytes.span.withUnsafeBytes { buffer throws(Errno) in
        try retrying {
          unsafe Glibc.write(
            number, buffer.baseAddress.map { unsafe $0 + start }, buffer.count - start)
        }
      }
    }
  }

  /// Ends its input and waits until it ends.
  package func finish() {
    input = nil
    var status: Int32 = 0
    while unsafe waitpid(pid, &status, 0) < 0, Errno.current == .interrupted {}
  }
}
