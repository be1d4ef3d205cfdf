internal import DTMRepository
package import DTMSystem

/// Names of runs that nobody named.
package enum RunID {
  /// `20261124T182301Z-3f9a2c`: when it began, and what tells it from others of that second.
  package static func fresh(at time: Timestamp) -> String {
    let when = time.rfc3339.prefix(19).filter { $0 != "-" && $0 != ":" }
    return "\(when)Z-\(Hex.string(SecureRandom.bytes(3)))"
  }
}
