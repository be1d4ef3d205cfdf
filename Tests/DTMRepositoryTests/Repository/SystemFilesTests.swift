import DTMSystem
import Glibc
import SystemPackage
import Testing

/// The seam on the kernel, where the kernel does less than it was asked for. (A write that is short,
/// and a call that is interrupted, the end-to-end tests make.)
@Suite struct SystemFilesTests {
  /// /proc gives a file piece by piece, however much is asked for.
  @Test func `a read that comes short is gone on with`() throws {
    let count = 256 << 10
    let file = try SystemFileOperations(path: "/proc").open("kallsyms", writable: false)
    let descriptor = unsafe open("/proc/kallsyms", O_RDONLY | O_CLOEXEC)
    try #require(descriptor >= 0)
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: count)
    let once = unsafe pread(descriptor, &buffer, count, 0)
    try #require(once > 0 && once < count, "the kernel gave \(once) bytes at once")
    let read = try file.read(at: 0, count: count)
    #expect(read.count == count)
    #expect(read.prefix(once).elementsEqual(buffer.prefix(once)))
  }
}
