internal import Glibc

/// The end of this process.
package enum ProcessEnd {
  /// Ends the process with an exit status, 0...255.
  package static func exit(status: Int32) -> Never {
    Glibc.exit(status)
  }
}
