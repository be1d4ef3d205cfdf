internal import CLinux
internal import Glibc
package import SystemPackage

/// Runs a program with no terminal, for a bounded time, and keeps a bounded part of what it writes.
package enum BoundedRun {
  /// What a program left.
  package struct Outcome: Sendable {
    /// Nil where its time was over, or nobody wanted it any more: then it was killed.
    package var end: ProgramEnd?
    /// The beginning of its standard output and error.
    package var output: [UInt8]
  }

  /// How often it is looked whether it has ended, or is to be ended.
  private static let tick = Duration.milliseconds(20)

  /// Runs it to its end. `keeping`: bytes of its output; the rest is read and thrown away. `input`: what it
  /// finds at its standard input. What it has started and left behind in its process group is killed.
  /// Blocking.
  package static func run(
    _ order: ProgramOrder, with starter: ProgramStarter, within limit: Duration, keeping: Int,
    input: [UInt8] = [], isCancelled: () -> Bool = { false }
  ) throws(Errno) -> Outcome {
    let ends = try Descriptor.pipeEnds()
    let reading = Descriptor(owning: ends.reading)
    let pid = try start(
      order, with: starter, input: input, writingTo: Descriptor(owning: ends.writing))
    let deadline = Deadline.after(limit)
    var output: [UInt8] = []
    var isOpen = true
    while true {
      // Whatever it started belongs to its group, and may hold the pipe open for ever.
      if let end = try ForwardedSignals.end(of: pid, waits: false) {
        starter.killGroup(pid)
        while isOpen, try isReadable(reading.rawValue, until: .after(.zero)) {
          isOpen = try read(reading, into: &output, keeping: keeping)
        }
        return Outcome(end: end, output: output)
      }
      if deadline.isPast || isCancelled() {
        starter.killGroup(pid)
        _ = try ForwardedSignals.end(of: pid, waits: true)
        return Outcome(end: nil, output: output)
      }
      let turn = deadline.orEarlier(.after(tick))
      if try isReadable(isOpen ? reading.rawValue : -1, until: turn) {
        isOpen = try read(reading, into: &output, keeping: keeping)
      }
    }
  }

  /// The program has the pipe's end alone.
  private static func start(
    _ order: ProgramOrder, with starter: ProgramStarter, input: [UInt8],
    writingTo end: consuming Descriptor
  ) throws(Errno) -> Int32 {
    var order = order
    order.isDetached = true
    order.output = end.rawValue
    if input.isEmpty { return try starter.start(order) }
    // A file without a name and not a pipe, whose room is small: nobody waits for the program to read.
    let number = unsafe clinux_memfd_create("dtm-input", UInt32(CLINUX_MFD_CLOEXEC))
    if number < 0 { throw .current }
    let file = Descriptor(owning: number)
    try file.write(input, at: 0)
    order.input = file.rawValue
    return try starter.start(order)
  }

  private static func isReadable(_ number: Int32, until deadline: Deadline) throws(Errno) -> Bool {
    var entries = [PollEntry(number, .readable)]
    return try Poll.wait(for: &entries, until: deadline) && !entries[0].found.isEmpty
  }

  /// False at its end.
  private static func read(
    _ descriptor: borrowing Descriptor, into output: inout [UInt8], keeping: Int
  ) throws(Errno) -> Bool {
    let room = 16 * 1024
    let number = descriptor.rawValue
    let bytes = try unsafe withUnsafeTemporaryAllocation(byteCount: room, alignment: 1) {
      buffer throws(Errno) -> [UInt8] in
      let count = try retrying { unsafe Glibc.read(number, buffer.baseAddress, room) }
      return unsafe Array(buffer[..<count])
    }
    output += bytes.prefix(max(0, keeping - output.count))
    return !bytes.isEmpty
  }
}
