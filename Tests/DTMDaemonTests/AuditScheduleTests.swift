import DTMDaemon
import DTMFolder
import DTMSystem
import Testing

/// When the audit goes on, by a clock that the test turns.
@Suite struct AuditScheduleTests {
  private func part(end: PathKey?, cost: Duration = .milliseconds(10)) -> AuditPart {
    var part = AuditPart()
    part.end = end
    part.cost = cost
    return part
  }

  @Test func `nothing is audited before everything was looked at, and then a day later`() {
    var schedule = AuditSchedule()
    #expect(schedule.due == nil && !schedule.isDue(at: .seconds(1_000_000)))
    schedule.everythingLookedAt(at: .seconds(100))
    #expect(!schedule.isDue(at: .seconds(100 + 24 * 3600 - 1)))
    #expect(schedule.isDue(at: .seconds(100 + 24 * 3600)))
  }

  @Test func `parts take two hundredths of the time, and the next round begins a day after`() {
    var schedule = AuditSchedule()
    schedule.everythingLookedAt(at: .zero)
    var now = AuditSchedule.period
    let began = now
    var worked = Duration.zero
    for index in 0..<100 {
      #expect(schedule.isDue(at: now))
      let cost = Duration.milliseconds(10 + index)
      now += cost
      worked += cost
      schedule.finished(part(end: PathKey("f\(index)"), cost: cost), at: now)
      #expect(schedule.cursor == PathKey("f\(index)"))
      now = schedule.due ?? .zero
    }
    let share = worked / (now - began)
    #expect(share > 0.019 && share < 0.0201, "\(share)")
    schedule.finished(part(end: nil), at: now)
    #expect(schedule.cursor == nil)
    let next = schedule.due ?? .zero
    #expect(next >= began + AuditSchedule.period && next < began + AuditSchedule.period * 1.01)
  }

  @Test func `a round that is asked for begins at once, but in the midst of none`() {
    var schedule = AuditSchedule()
    schedule.begin(at: .seconds(5))
    #expect(schedule.due == nil, "there is nothing to compare with yet")
    schedule.everythingLookedAt(at: .zero)
    schedule.begin(at: .seconds(10))
    #expect(schedule.isDue(at: .seconds(10)) && !schedule.isDue(at: .seconds(9)))
    schedule.finished(part(end: PathKey("f"), cost: .seconds(1)), at: .seconds(11))
    let due = schedule.due
    schedule.begin(at: .seconds(12))
    #expect(schedule.due == due && schedule.cursor == PathKey("f"))
  }

  @Test func `a scan counts as a round`() {
    var schedule = AuditSchedule()
    schedule.everythingLookedAt(at: .zero)
    schedule.finished(part(end: PathKey("f")), at: AuditSchedule.period)
    schedule.everythingLookedAt(at: AuditSchedule.period + .seconds(43_200))
    #expect(schedule.cursor == nil)
    #expect(schedule.due == AuditSchedule.period * 2 + .seconds(43_200))
  }
}
