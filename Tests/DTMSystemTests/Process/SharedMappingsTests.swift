import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage
import Testing

struct SharedMappingsTests {
  @Test func `shared writable mappings are found by inode and by how their path ends`() {
    var mappings = SharedMappings()
    mappings.add(
      Array(
        """
        7f00-7f10 rw-s 00000000 00:2f 1234                       /data/lake/a file.db
        7f20-7f30 r--s 00000000 00:2f 1235                       /data/lake/read
        7f40-7f50 rw-p 00000000 00:2f 1236                       /data/lake/private
        7f60-7f70 rw-s 00000000 00:01 77                         /dev/zero (deleted)
        7f80-7f90 rw-p 00000000 00:00 0
        nonsense
        """.utf8))
    #expect(mappings.mayHold(inode: 1234, path: Array("x".utf8)))
    #expect(mappings.mayHold(inode: 1, path: Array("a file.db".utf8)))
    #expect(mappings.mayHold(inode: 1, path: Array("lake/a file.db".utf8)))
    #expect(!mappings.mayHold(inode: 1, path: Array("file.db".utf8)))
    #expect(!mappings.mayHold(inode: 1235, path: Array("read".utf8)))
    #expect(!mappings.mayHold(inode: 1236, path: Array("private".utf8)))
  }

  @Test func `a mapping of this process is found though its descriptor is closed`() throws {
    try withTemporaryDirectory { base in
      let file = try Descriptor.open(base.appending("mapped"), [.readWrite, .create])
      try file.truncate(to: 4096)
      let inode = try file.status().inode
      let before = SharedMappings.find()
      let address = unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file.rawValue, 0)
      try #require(unsafe address != MAP_FAILED)
      try file.closeReportingErrors()
      let during = SharedMappings.find()
      unsafe munmap(address, 4096)
      let path = Array((String(base.string.dropFirst()) + "/mapped").utf8)
      #expect(!before.mayHold(inode: 0, path: path))
      #expect(during.mayHold(inode: inode, path: []) && during.mayHold(inode: 0, path: path))
      #expect(!SharedMappings.find().mayHold(inode: 0, path: path))
    }
  }

  @Test func `a lease holds until somebody wants to write, who then goes on`() throws {
    ProcessSignals.ignoreThoseOfFiles()
    try withTemporaryDirectory { base in
      let path = base.appending("file")
      try Descriptor.open(path, [.writeOnly, .create]).closeReportingErrors()
      let reader = try Descriptor.open(path, [.readOnly])
      try #require(try reader.beginLease() == true)
      let isHeld = reader.holdsLease
      #expect(isHeld)
      let writer = try DedicatedThread(named: "writer") {
        do { try Descriptor.open(path, [.writeOnly]).write([1], at: 0) } catch {
          Issue.record(error)
        }
      }
      // It breaks the lease, and waits.
      while reader.holdsLease { sched_yield() }
      #expect(try reader.status().size == 0)
      reader.endLease()
      writer.join()
      #expect(try reader.status().size == 1)
    }
  }

  @Test func `what is in the page cache of a file is told to a page`() throws {
    try withTemporaryDirectory { base in
      let file = try Descriptor.open(base.appending("file"), [.readWrite, .create])
      try file.write([UInt8](repeating: 1, count: 1 << 20), at: 0)
      try file.synchronize()
      let type = try file.fileSystemType()
      guard type == .ext4 || type == .xfs || type == .btrfs else {
        print("SKIPPED: what is in the page cache of a file is told to a page: \(type.name)")
        return
      }
      #expect(file.rangesNotCached(0..<1 << 20) == [])
      file.forgetCached(0..<1 << 20)
      #expect(file.rangesNotCached(0..<1 << 20) == [0..<1 << 20])
      #expect(file.rangesNotCached(5000..<6000) == [4096..<6000])
    }
  }
}
