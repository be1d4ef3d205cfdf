import DTMControl
import DTMDaemon
import DTMRules
import DTMSystem
import DTMTestSupport
import SystemPackage
import Testing

@Suite struct PauseTests {
  @Test func `a paused folder is captured when it is resumed, and says so first`() throws {
    let fixture = try DaemonFixture()
    try fixture.waitUntilProtected()
    let listener = try EventListener(fixture.socket)
    let client = try fixture.client()
    #expect(try client.pause(PauseRequest(folder: "lake")) == nil)
    let status = try client.status()
    #expect(status.state == .degraded)
    #expect(status.folders[0].state == .paused)
    #expect(status.folders[0].reasons.first?.contains("resume") == true)
    #expect(status.folders[0].pausedUntil == nil)
    let paused = try listener.wait { $0.kind == .paused }
    #expect(paused.until == nil)

    try fixture.directory.write("lake/second", "2")
    #expect(try eventually { try client.status().folders[0].dirty > 0 })
    #expect(try client.status().folders[0].phase == .dirty)
    let error = #expect(throws: ControlError.self) {
      try client.wait(WaitRequest(folder: "lake", timeout: .seconds(20)))
    }
    #expect(error?.code == .busy)
    // What is asked for is done in a pause too.
    #expect(try client.snapshot(SnapshotRequest(folder: "lake")).isCreated)
    try fixture.directory.write("lake/third", "3")
    #expect(try eventually { try client.status().folders[0].dirty > 0 })
    #expect(fixture.engines.orders.count == 2)

    #expect(try client.resume(folder: "lake"))
    #expect(try client.wait(WaitRequest(folder: "lake", timeout: .seconds(20))) != nil)
    #expect(fixture.engines.orders.count == 3)
    try listener.wait { $0.kind == .resumed }
    try listener.wait { $0.kind == .state && $0.state == .paused }
    #expect(try client.status().state == .protected)
    #expect(try client.resume(folder: "lake") == false)
    for event in ["folderPaused", "folderResumed"] {
      #expect(fixture.log.all.contains { $0.contains("event=\(event)") }, "\(event)")
    }
  }

  @Test func `those who wait when a pause begins are told`() throws {
    let fixture = try DaemonFixture()
    try fixture.waitUntilProtected()
    try fixture.configure(["lake"], quiet: "1h")
    _ = try fixture.client().reload()
    try fixture.directory.write("lake/second", "2")
    let socket = fixture.socket
    let answer = Answer<String>()
    let waiting = try DedicatedThread(named: "waiting") {
      do {
        let client = try ControlClient(socket: socket)
        _ = try client.wait(WaitRequest(folder: "lake", timeout: .seconds(60)))
        answer.give("done")
      } catch {
        answer.give("\(error)")
      }
    }
    let client = try fixture.client()
    // The wait is in the folder's mailbox when it is dirty: it was told the events by then.
    #expect(try eventually { try client.status().folders[0].dirty > 0 })
    #expect(
      try eventually {
        _ = try client.pause(PauseRequest(folder: "lake"))
        return answer.now != nil
      })
    #expect(try answer.wait() == "automatic snapshots are paused")
    waiting.join()
  }

  @Test func `a pause with an end resumes by itself`() throws {
    let time = ManualTimeSource(now: Timestamp(seconds: 1_795_333_201), monotonic: .seconds(100))
    let fixture = try ServiceFixture(time: time)
    let (service, engines) = (fixture.service, fixture.engines)
    #expect(
      eventually {
        time.advance(by: .seconds(1))
        service.look()
        return engines.orders.count == 1 && service.status.state == .protected
      })
    let until = Answer<Result<Timestamp?, DaemonFault>>()
    let began = time.now()
    service.pause(for: .seconds(3600)) { until.give($0) }
    #expect(try until.wait().get() == began.advanced(by: .seconds(3600)))
    #expect(service.status.pausedUntil == began.advanced(by: .seconds(3600)))
    // A second pause replaces the first.
    let again = Answer<Result<Timestamp?, DaemonFault>>()
    service.pause(for: .seconds(60)) { again.give($0) }
    _ = try again.wait().get()
    try fixture.write("second", "2")
    #expect(eventually { service.status.dirty > 0 })
    time.advance(by: .seconds(59))
    service.look()
    let wait = Answer<Result<SnapshotSummary?, DaemonFault>>()
    _ = service.wait(WaitRequest(folder: "lake")) { wait.give($0) }
    // The answer comes from the folder's thread, after that look.
    guard case .failure(.busy) = try wait.wait() else {
      Issue.record("the pause ended early")
      return
    }
    #expect(engines.orders.count == 1)
    #expect(
      eventually {
        time.advance(by: .seconds(1))
        service.look()
        return engines.orders.count == 2 && service.status.state == .protected
      })
    #expect(engines.orders.last?.trigger == .quiet)
    #expect(service.status.pausedUntil == nil)
  }

  @Test func `a restore that does not end is told once it holds snapshots for long`() throws {
    let time = ManualTimeSource(now: Timestamp(seconds: 1_795_333_201), monotonic: .seconds(100))
    let fixture = try ServiceFixture(time: time)
    let service = fixture.service
    #expect(
      eventually {
        time.advance(by: .seconds(1))
        service.look()
        return service.status.state == .protected
      })
    #expect(service.ownWritesBegan("restore") { _ in })
    // The folder's atMost is 5 s.
    #expect(
      eventually {
        time.advance(by: .seconds(1))
        service.look()
        return service.status.state == .degraded
      })
    #expect(service.status.reasons.first?.contains("a dtm restore that has not ended") == true)
    service.ownWritesEnded("restore")
    #expect(
      eventually {
        time.advance(by: .seconds(1))
        service.look()
        return service.status.state == .protected
      })
  }
}
