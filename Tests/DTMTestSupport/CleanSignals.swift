package import Glibc

/// Runs the body with attributes of posix_spawn(3) by which a child has no signal blocked and none
/// ignored.
///
/// The threads that run tests have signals blocked, which a child inherits: nothing but SIGKILL would
/// end it, timeout(1) neither.
package func withCleanSignals<Result>(
  _ body: (UnsafePointer<posix_spawnattr_t>) throws -> Result
) rethrows -> Result {
  var attributes = posix_spawnattr_t()
  unsafe posix_spawnattr_init(&attributes)
  defer { unsafe posix_spawnattr_destroy(&attributes) }
  var signals = sigset_t()
  unsafe sigemptyset(&signals)
  unsafe posix_spawnattr_setsigmask(&attributes, &signals)
  unsafe sigfillset(&signals)
  unsafe posix_spawnattr_setsigdefault(&attributes, &signals)
  unsafe posix_spawnattr_setflags(
    &attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
  return try unsafe body(&attributes)
}
