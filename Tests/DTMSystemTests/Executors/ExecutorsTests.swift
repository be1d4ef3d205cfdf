import DTMSystem
import Glibc
import SystemPackage
import Testing

@Suite struct MailboxTests {
  @Test func `messages come out in the order they went in`() {
    let mailbox = Mailbox<Int>(capacity: 1000)
    for value in 0..<1000 { #expect(mailbox.offer(value)) }
    for value in 0..<1000 { #expect(element(mailbox.receive()) == value) }
  }

  @Test func `a full mailbox refuses until something is received`() {
    let mailbox = Mailbox<Int>(capacity: 2)
    #expect(mailbox.offer(1))
    #expect(mailbox.offer(2))
    #expect(!mailbox.offer(3))
    #expect(element(mailbox.receive()) == 1)
    #expect(mailbox.offer(4))
    #expect(element(mailbox.receive()) == 2)
    #expect(element(mailbox.receive()) == 4)
  }

  @Test func `a closed mailbox gives out what it holds and takes nothing more`() {
    let mailbox = Mailbox<Int>(capacity: 4)
    mailbox.offer(1)
    mailbox.close()
    #expect(!mailbox.offer(2))
    #expect(element(mailbox.receive()) == 1)
    guard case .closed = mailbox.receive() else {
      Issue.record("not closed")
      return
    }
  }

  @Test func `receive ends at its deadline, and not before`() {
    let mailbox = Mailbox<Int>(capacity: 1)
    let deadline = Deadline.after(.milliseconds(20))
    guard case .timedOut = mailbox.receive(until: deadline) else {
      Issue.record("it did not time out")
      return
    }
    #expect(deadline.isPast)
  }

  @Test func `what several threads send arrives whole, each one's in its order`() throws {
    let mailbox = Mailbox<(sender: Int, value: Int)>(capacity: 100_000)
    let threads = try (0..<4).map { sender in
      try DedicatedThread(named: "sender") {
        for value in 0..<5000 { mailbox.offer((sender, value)) }
      }
    }
    var next = [0, 0, 0, 0]
    for _ in 0..<20_000 {
      guard let message = element(mailbox.receive(until: .after(.seconds(60)))) else {
        Issue.record("a message is missing")
        return
      }
      #expect(message.value == next[message.sender])
      next[message.sender] += 1
    }
    for thread in threads { thread.join() }
  }

  private func element<Element>(_ received: Mailbox<Element>.Received) -> Element? {
    if case .element(let element) = received { return element }
    return nil
  }
}

@Suite struct DedicatedThreadTests {
  @Test func `join returns when the closure has, and at its deadline when it has not`() throws {
    let gate = Monitor(false)
    let returned = Monitor(false)
    let thread = try DedicatedThread(named: "gated") {
      _ = gate.wait { $0 ? true : nil }
      returned.update { $0 = true }
    }
    #expect(!thread.join(until: .after(.milliseconds(10))))
    #expect(!thread.isFinished)
    gate.update { $0 = true }
    #expect(thread.join())
    #expect(returned.withLock { $0 })
    #expect(thread.join(), "a second join returns at once")
  }

  @Test func `a thread bears its name and takes no signals`() throws {
    let seen = Monitor<[String]>([])
    let thread = try DedicatedThread(named: "a-long-thread-name") {
      let status = read("/proc/thread-self/status")
      seen.update { $0 = status.split(separator: "\n").map(String.init) }
    }
    thread.join()
    let lines = seen.withLock { $0 }
    #expect(lines.contains("Name:\ta-long-thread-n"))
    let mask = lines.first { $0.hasPrefix("SigBlk:") }?.split(separator: "\t").last
    let blocked = mask.flatMap { UInt64($0, radix: 16) } ?? 0
    for signal in [SIGTERM, SIGINT, SIGHUP] { #expect(blocked & 1 << (signal - 1) != 0) }
  }
}

@Suite struct BlockingExecutorTests {
  @Test func `as many tasks block at once as there are threads`() async throws {
    let executor = try BlockingExecutor(name: "pool", threads: 4)
    defer { executor.shutDown() }
    let arrived = Monitor(0)
    // Each task blocks its thread until all four are there: fewer threads would never end.
    let all = await withTaskExecutorPreference(executor) {
      await withTaskGroup(of: Bool.self) { group in
        for _ in 0..<4 {
          group.addTask {
            arrived.update { $0 += 1 }
            return arrived.wait(until: .after(.seconds(60))) { $0 == 4 ? true : nil } ?? false
          }
        }
        return await group.reduce(true) { $0 && $1 }
      }
    }
    #expect(all)
  }

  @Test func `more tasks than threads all run, on the pool's threads`() async throws {
    let executor = try BlockingExecutor(name: "small", threads: 2)
    defer { executor.shutDown() }
    let names = await withTaskExecutorPreference(executor) {
      await withTaskGroup(of: String.self) { group in
        for _ in 0..<200 { group.addTask { read("/proc/thread-self/comm") } }
        return await group.reduce(into: [String]()) { $0.append($1) }
      }
    }
    #expect(names.count == 200)
    #expect(Set(names).isSubset(of: ["small-0\n", "small-1\n"]))
  }

  @Test func `shutting down waits for the work that is there`() async throws {
    let executor = try BlockingExecutor(name: "ending", threads: 1)
    let value = await Task(executorPreference: executor) { 7 }.value
    executor.shutDown()
    #expect(value == 7)
  }
}

/// The text of a file of the kernel.
private func read(_ path: String) -> String {
  guard let file = try? Descriptor.open(.init(path), .readOnly) else { return "" }
  return String(decoding: (try? file.readToEnd()) ?? [], as: UTF8.self)
}
