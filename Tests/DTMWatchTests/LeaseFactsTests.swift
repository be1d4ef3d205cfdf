import CLinux
import DTMSystem
import Glibc
import SystemPackage
import Testing

/// What read leases tell of writers, asked of the kernel.
@Suite(.serialized, .timeLimit(.minutes(60))) struct LeaseFactsTests {
  /// Whether nobody has a file open for writing, by a read lease.
  private func hasNoWriter(_ playground: Playground) throws -> Bool? {
    try playground.open("folder").open(Array("f".utf8), [.readOnly]).hasNoWriter()
  }

  /// The answer once no program that another test starts has the file open any more: up to its exec, it
  /// has all that this process had open.
  private func settled(_ hasNoWriter: () throws -> Bool?) rethrows -> Bool? {
    while true {
      let answer = try hasNoWriter()
      if answer != false { return answer }
      sched_yield()
    }
  }

  @Test func `a read lease is refused while a file is open for writing, or mapped so`() throws {
    ProcessSignals.ignoreThoseOfFiles()
    let playground = try Playground()
    playground.write("folder/f", Array(repeating: 0, count: 4096))
    #expect(try settled { try hasNoWriter(playground) } == true)
    let file = try playground.openForWriting("folder/f")
    #expect(try hasNoWriter(playground) == false)
    let pages = unsafe mmap(nil, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
    let bytes = unsafe try #require(pages)
    close(file)
    #expect(try hasNoWriter(playground) == false)
    unsafe munmap(bytes, 4096)
    #expect(try settled { try hasNoWriter(playground) } == true)
  }

  @Test func `overlayfs grants a lease on a file that is written beneath it`() throws {
    ProcessSignals.ignoreThoseOfFiles()
    let playground = try Playground()
    try inMountNamespace {
      let base = playground.base
      #expect(unsafe mount("dtm-test", base.string, "tmpfs", 0, nil) == 0)
      for name: Place in ["folder", "lower", "upper", "work"] { playground.make(name) }
      playground.write("lower/f")
      let options =
        "lowerdir=\(base.string)/lower,upperdir=\(base.string)/upper,workdir=\(base.string)/work"
      let folder = playground.folder.string
      let status = unsafe options.withCString { unsafe mount("dtm-test", folder, "overlay", 0, $0) }
      guard status == 0 else {
        print("SKIPPED: overlayfs grants a lease: no overlayfs: \(Errno.current)")
        return
      }
      let file = playground.folder.appending("f")
      func hasNoWriter() throws -> Bool? {
        try Descriptor.open(file, .readOnly).hasNoWriter()
      }
      let writer = unsafe clinux_open(file.string, O_RDWR | O_CLOEXEC, 0)
      try #require(writer >= 0)
      #expect(try hasNoWriter() == false)
      close(writer)
      #expect(try settled(hasNoWriter) == true)
      let below = base.appending("upper").appending("f").string
      let beneath = unsafe clinux_open(below, O_RDWR | O_CLOEXEC, 0)
      try #require(beneath >= 0)
      #expect(try hasNoWriter() == true)
      close(beneath)
      #expect(unsafe umount2(folder, 2) == 0)
    }
  }

  @Test func `a writer who breaks a lease kills who does not ignore its signal`() throws {
    let playground = try Playground()
    playground.write("folder/f")
    let program = """
      import fcntl, os, signal
      signal.signal(signal.SIGIO, signal.SIG_DFL)
      signal.pthread_sigmask(signal.SIG_SETMASK, [])
      held = os.open('f', os.O_RDONLY)
      fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_RDLCK)
      if os.fork() == 0:
          try: os.open('f', os.O_WRONLY | os.O_NONBLOCK)
          except BlockingIOError: pass
          os._exit(0)
      os.wait()
      """
    playground.write("lease.py", Array(program.utf8))
    let status = unsafe system(
      "cd '\(playground.folder.string)' && exec /usr/bin/python3 ../lease.py")
    // The shell became Python; the low seven bits are the signal that ended it.
    #expect(status & 0x7f == SIGIO)
  }
}
