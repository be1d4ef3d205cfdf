import DTMTestSupport

/// Random operations on a folder, one line each; done by a Python program, since half of them are
/// calls that no shell has, or other programs.
struct FuzzOperations {
  /// Done in the data folder; each line of its input is one operation, which may be impossible.
  ///
  /// Nothing is written in `links`: what is written through a name that is gone before anybody
  /// looks is found by the audit alone.
  static let program = #"""
    import ctypes, mmap, os, shutil, subprocess, sys, time
    libc = ctypes.CDLL(None, use_errno=True)
    held = []
    def put(p, n, flags):
        fd = os.open(p, os.O_RDWR | flags, 0o644)
        os.write(fd, (p + n).encode() * int(n)); os.close(fd)
    def shared(p, n):
        fd = os.open(p, os.O_RDWR); size = os.fstat(fd).st_size
        if size == 0: os.close(fd); return None
        pages = mmap.mmap(fd, size)
        pages[size // 2] = int(n) % 256
        return pages, fd
    def end(pages, fd):
        if pages: pages.close()
        os.close(fd)
    def store(p, n):
        pair = shared(p, n)
        if pair: end(*pair)
    def hold(p, n):
        pair = shared(p, n)
        if pair: held.append(pair)
    def poke(n):
        for pages, fd in held:
            # A store past the end of a file that was cut is a SIGBUS.
            if pages and os.fstat(fd).st_size > 0: pages[0] = int(n) % 256
    def keep(p, n):
        fd = os.open(p, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(fd, n.encode()); held.append((None, fd))
    def patch(p, n):
        fd = os.open(p, os.O_WRONLY); os.pwrite(fd, n.encode(), 1); os.close(fd)
    def release():
        while held: end(*held.pop())
    def exchange(a, b):
        libc.renameat2(-100, a.encode(), -100, b.encode(), 2)
    def unnamed(p, n):
        fd = os.open('.', os.O_TMPFILE | os.O_RDWR, 0o644)
        os.write(fd, n.encode())
        libc.linkat(-100, b'/proc/self/fd/%d' % fd, -100, p.encode(), 0x400)
        os.write(fd, b' more'); os.close(fd)
    def remove(p):
        shutil.rmtree(p) if os.path.isdir(p) and not os.path.islink(p) else os.unlink(p)
    def burst(p):
        os.makedirs(p + '/a/b/c')
        for i in range(15): open('%s/a/b/c/%d' % (p, i), 'w').write(p)
    def replace(p, n):
        with open(p + '.tmp', 'w') as f: f.write(n)
        os.rename(p + '.tmp', p)
    def run(*words): subprocess.run(words, check=True, capture_output=True)
    def copy(a, b): run('cp', '-a', a, b)
    def untar(p): run('tar', 'x', '-f', '../fuzz.tar', '-C', p)
    def sync(p): run('rsync', '-a', '--inplace', '--delete', '../fuzz-source/', p + '/')
    def checkout(n): run('git', '-C', 'checkout', 'checkout', '-q', '-f', 'b' + n)
    def times(p, n): os.utime(p, (int(n), int(n)), follow_symlinks=False)
    def attribute(p, n): os.setxattr(p, 'user.fuzz', n.encode())
    def bare(p): os.removexattr(p, 'user.fuzz')
    calls = {
        'mkdir': os.mkdir, 'write': lambda p, n: put(p, n, os.O_CREAT | os.O_TRUNC),
        'append': lambda p, n: put(p, n, os.O_CREAT | os.O_APPEND), 'patch': patch,
        'truncate': lambda p, n: os.truncate(p, int(n)), 'store': store, 'hold': hold,
        'keep': keep, 'poke': poke, 'release': release, 'rename': os.rename,
        'exchange': exchange, 'link': lambda a, b: os.link(a, b, follow_symlinks=False),
        'symlink': lambda a, b: os.symlink(a, b), 'chmod': lambda p, n: os.chmod(p, int(n, 8)),
        'times': times, 'attribute': attribute, 'bare': bare, 'remove': remove, 'burst': burst,
        'unnamed': unnamed, 'replace': replace, 'copy': copy, 'untar': untar, 'sync': sync,
        'checkout': checkout, 'pause': lambda n: time.sleep(int(n) / 1000),
    }
    done = 0
    for line in sys.stdin:
        words = line.split()
        try:
            calls[words[0]](*words[1:]); done += 1
        except (OSError, subprocess.CalledProcessError, shutil.Error, ValueError): pass
    release()
    print(done)
    """#

  /// What some operations need beside the data folder and in it.
  static let preparation = #"""
    mkdir -p fuzz-source/sub/deeper lake/links
    for i in 1 2 3 4 5 6; do seq $((i * 400)) >fuzz-source/sub/$i; echo $i >fuzz-source/sub/deeper/$i; done
    tar c -f fuzz.tar -C fuzz-source .
    git init -q lake/checkout; cd lake/checkout
    git config user.email fuzz@localhost; git config user.name fuzz
    for branch in 0 1 2; do
      git checkout -q -b b$branch
      for i in 1 2 3 4 5 6 7 8; do mkdir -p s$((i % 3)); echo $branch-$i >s$((i % 3))/$i; done
      [ $branch != 1 ] || { git rm -q -r -f s1; mkdir -p only; echo 1 >only/1; }
      git add -A; git commit -q -m $branch
    done
    """#

  private var random: SplitMix
  private var counter = 0

  init(_ random: SplitMix) { self.random = random }

  /// So many lines: operations, and what happens to the daemon between them.
  ///
  /// `wait`: everything is captured and compared. `stop … cont`: the daemon stands still meanwhile.
  /// `flood`: more events than the queue holds, while it stands still. `kill`: SIGKILL, and a new
  /// daemon, with operations between. `sets`: a snapshot by hand.
  mutating func lines(_ count: Int) -> [String] {
    var lines: [String] = []
    while lines.count < count {
      switch random.below(60) {
      case 0...1: lines.append("wait")
      case 2: lines += ["stop"] + some(10) + ["cont"]
      case 3: if random.oneIn(3) { lines += ["flood"] }
      case 4: lines += ["kill"] + some(6) + ["start"]
      case 5: lines.append("snapshot")
      default: lines.append(operation())
      }
    }
    return lines
  }

  private mutating func some(_ count: Int) -> [String] {
    (0..<random.below(count)).map { _ in operation() }
  }

  private mutating func operation() -> String {
    counter += 1
    switch random.below(34) {
    case 0...2: return "write \(path()) \(number())"
    case 3...4: return "append \(path()) \(number())"
    case 5: return "patch \(path()) \(number())"
    case 6: return "truncate \(path()) \(random.below(100))"
    case 7: return "store \(path()) \(number())"
    case 8: return "hold \(path()) \(number())"
    case 9: return "poke \(number())"
    case 10: return "keep \(path()) \(number())"
    case 11: return "release"
    case 12...14: return "rename \(path()) \(path())"
    case 15: return "exchange \(path()) \(path())"
    case 16: return "link \(path()) links/\(counter)"
    case 17: return "symlink nowhere \(path())"
    case 18: return "chmod \(path()) 7\(random.below(8))\(random.below(8))"
    case 19: return "times \(path()) \(counter)"
    case 20: return "attribute \(path()) \(number())"
    case 21: return "bare \(path())"
    case 22: return "remove \(path())"
    case 23...25: return "mkdir \(path())"
    case 26: return "burst \(path())"
    case 27: return "unnamed \(path()) \(number())"
    case 28: return "replace \(path()) \(number())"
    case 29: return "copy \(path()) \(path())"
    case 30: return random.oneIn(2) ? "untar \(path())" : "sync \(path())"
    case 31: return "checkout \(random.below(3))"
    case 32: return "pause \(random.below(80))"
    default: return "write \(path()) \(number())"
    }
  }

  private mutating func number() -> Int { 1 + random.below(900) }

  /// Few names, so that many are there: `d1`, `d0/d2/f1`.
  private mutating func path() -> String {
    var names: [String] = []
    for _ in 0..<random.below(3) { names.append("d\(random.below(3))") }
    names.append(random.oneIn(3) ? "d\(random.below(3))" : "f\(random.below(4))")
    return names.joined(separator: "/")
  }
}
