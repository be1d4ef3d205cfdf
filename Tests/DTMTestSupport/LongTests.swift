internal import Glibc

/// Whether the long forms of tests run.
package enum LongTests {
  /// `DTM_TEST_LONG=1`.
  package static let isOn: Bool = {
    guard let value = unsafe getenv("DTM_TEST_LONG") else { return false }
    return unsafe String(cString: value) == "1"
  }()
}
