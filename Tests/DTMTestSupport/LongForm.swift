internal import Glibc

/// Tests have a short form, for every change, and a long one.
package enum LongForm {
  /// Whether `DTM_TEST_LONG=1` asks for the long forms.
  package static let isAsked =
    unsafe getenv("DTM_TEST_LONG").map { unsafe String(cString: $0) == "1" } ?? false
}
