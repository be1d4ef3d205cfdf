import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

/// openat2(2) and its replacement name by name: the same answers.
@Suite struct ResolvingTests {
  private static let paths = [
    "a", "a/", "a/b", "a/b/c", "a/./b//c", "a/b/c/", "", ".", "./a", "nothing", "a/nothing/c",
    "link", "link/", "link/c", "a/link", "a/link/x", "a/b/c/d", "dangling", "loop", "loop/x",
    "proc/self/fd", "/a", "fifo", "mount", "mount/inside",
  ]

  private func outcome(_ body: () throws(Errno) -> Descriptor) -> String {
    do throws(Errno) {
      let status = try body().status()
      return "\(String(describing: status.kind)) \(status.inode)"
    } catch {
      return "\(error)"
    }
  }

  @Test func `opening name by name answers as openat2 does`() throws {
    try withTemporaryDirectory { root in
      _ = unsafe mkdir(root.appending("a").string, 0o755)
      _ = unsafe mkdir(root.appending("a/b").string, 0o755)
      _ = unsafe mkdir(root.appending("mount").string, 0o755)
      close(unsafe creat(root.appending("a/b/c").string, 0o644))
      _ = unsafe symlink("a/b", root.appending("link").string)
      _ = unsafe symlink("../../..", root.appending("a/link").string)
      _ = unsafe symlink("nowhere", root.appending("dangling").string)
      _ = unsafe symlink("loop", root.appending("loop").string)
      _ = unsafe symlink("/proc", root.appending("proc").string)
      _ = unsafe mkfifo(root.appending("fifo").string, 0o644)
      let mounting = unsafe mount("tmpfs", root.appending("mount").string, "tmpfs", 0, nil)
      let isMounted = mounting == 0
      defer { if isMounted { unsafe umount(root.appending("mount").string) } }
      if isMounted { close(unsafe creat(root.appending("mount/inside").string, 0o644)) }
      let directory = try Descriptor.open(root, [.readOnly, .directory])
      var compared = 0
      let flags: [OpenFlags] = [
        .path, [.path, .noFollow], [.path, .directory], [.readOnly, .directory],
        [.readOnly, .noFollow, .nonBlocking],
      ]
      for path in Self.paths.map({ Array($0.utf8) }) {
        for flags in flags {
          let real = outcome { () throws(Errno) in try directory.openBeneath(path, flags) }
          let ours = outcome { () throws(Errno) in
            try directory.openNameByName(path, flags, staysOnMount: false)
          }
          #expect(ours == real, "\(String(decoding: path, as: UTF8.self)) \(flags)")
          compared += 1
          guard flags.contains(.noFollow), !path.isEmpty else { continue }
          let strict = outcome { () throws(Errno) in try directory.openOnSameMount(path, flags) }
          let named = outcome { () throws(Errno) in
            try directory.openNameByName(path, flags, staysOnMount: true)
          }
          #expect(named == strict, "\(String(decoding: path, as: UTF8.self)) on one mount")
        }
      }
      #expect(compared == Self.paths.count * flags.count)
      // What openat2(2) allows where it stays beneath is refused: nobody here needs it.
      #expect(throws: Errno.improperLink) {
        _ = try directory.openNameByName(Array("a/../a".utf8), .path, staysOnMount: false)
      }
    }
  }

  @Test func `names of any depth are opened, and none is followed that is swapped in`() throws {
    try withTemporaryDirectory { root in
      var directory = try Descriptor.open(root, [.readOnly, .directory])
      let name = [UInt8](repeating: UInt8(ascii: "d"), count: 200)
      for _ in 0..<40 {
        try directory.makeDirectory(name, mode: 0o755)
        directory = try directory.open(name, [.readOnly, .directory])
      }
      let path = Array(repeatElement(name, count: 40).joined(separator: [UInt8(ascii: "/")]))
      let top = try Descriptor.open(root, [.readOnly, .directory])
      let found = try top.openNameByName(path, [.readOnly, .directory], staysOnMount: true)
      #expect(try found.status().inode == directory.status().inode)
    }
  }
}
