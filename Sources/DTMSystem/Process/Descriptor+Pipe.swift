internal import CLinux
internal import SystemPackage

extension Descriptor {
  /// The ends of a new pipe, each for a descriptor that owns it: what is written to one is read from the
  /// other.
  static func pipeEnds() throws(Errno) -> (reading: Int32, writing: Int32) {
    var ends: (reading: Int32, writing: Int32) = (-1, -1)
    let status = unsafe withUnsafeMutableBytes(of: &ends) { buffer in
      unsafe buffer.bindMemory(to: Int32.self).baseAddress.map { unsafe clinux_pipe($0) } ?? -1
    }
    if status != 0 { throw .current }
    return ends
  }
}
