internal import DTMControl
internal import DTMSystem
internal import SystemPackage

/// What the facts mean: always the same findings, in the same order, for the same facts.
package struct Diagnosis {
  let facts: DoctorFacts

  package init(_ facts: DoctorFacts) {
    self.facts = facts
  }

  /// The machine, the daemon, then the folders in the configuration's order.
  package var sections: [FindingSection] {
    [
      FindingSection("machine", [watches, instances, queue, clock, journal]),
      FindingSection("daemon", configuration + [daemon]),
    ]
      + facts.folders.map {
        FindingSection($0.name, path: $0.path.string, FolderDiagnosis($0, facts).findings)
      }
  }

  // MARK: - Machine

  /// Watches are counted a user, over all processes.
  private var watches: Finding {
    guard let limits = facts.limits else { return unknownLimits("watches") }
    let watched = facts.folders.reduce(0) { $0 + ($1.status?.watchedDirectories ?? 0) }
    let needed = facts.folders.filter(\.isConfigured).reduce(0) { sum, folder in
      sum + max(folder.directories ?? 0, folder.status?.watchedDirectories ?? 0)
    }
    // What others use stays used; what the daemon has is part of what it needs.
    let others = max(0, (facts.usage?.watches ?? watched) - watched)
    let wanted = needed + others
    var text =
      "\(Words.grouped(needed)) needed, \(Words.grouped(limits.maxWatches)) allowed"
    if let usage = facts.usage { text += ", \(Words.grouped(usage.watches)) used by all processes" }
    if facts.folders.contains(where: \.hasMoreDirectories) { text += "; there are more" }
    if wanted > limits.maxWatches {
      return Finding(
        .error, "watches", text + ": what has none is found by scans only",
        mend: Self.sysctl("max_user_watches", Self.roomFor(wanted, least: 1_048_576)))
    }
    if wanted > limits.maxWatches / 5 * 4 {
      return Finding(
        .warning, "watches", text + ": few are left",
        mend: Self.sysctl("max_user_watches", Self.roomFor(wanted, least: 1_048_576)))
    }
    return Finding(.ok, "watches", text)
  }

  private var instances: Finding {
    guard let limits = facts.limits else { return unknownLimits("instances") }
    let needed = facts.folders.count { $0.isConfigured }
    let present = facts.folders.count { ($0.status?.watchedDirectories ?? 0) > 0 }
    let others = max(0, (facts.usage?.instances ?? present) - present)
    let text = "\(needed) needed, \(Words.grouped(limits.maxInstances)) allowed"
    if needed + others > limits.maxInstances {
      return Finding(
        .error, "instances", text + ": a folder without one is found by scans only",
        mend: Self.sysctl("max_user_instances", Self.roomFor(needed + others, least: 1024)))
    }
    return Finding(.ok, "instances", text)
  }

  /// The kernel's own default.
  private static let usualQueue = 16_384

  private var queue: Finding {
    guard let limits = facts.limits else { return unknownLimits("queue") }
    let text = "\(Words.grouped(limits.maxQueuedEvents)) events"
    if limits.maxQueuedEvents < Self.usualQueue {
      return Finding(
        .warning, "queue", text + ": a burst of more makes a scan of the whole folder",
        mend: Self.sysctl("max_queued_events", Self.usualQueue))
    }
    return Finding(.ok, "queue", text)
  }

  private func unknownLimits(_ subject: String) -> Finding {
    Finding(.note, subject, "/proc/sys/fs/inotify can't be read here")
  }

  /// Twice as many as are needed, as a power of two.
  static func roomFor(_ needed: Int, least: Int) -> Int {
    var room = least
    while room < needed * 2 { room *= 2 }
    return room
  }

  /// Now, and after the next start of the machine.
  static func sysctl(_ name: String, _ value: Int) -> [String] {
    let setting = "fs.inotify.\(name)=\(value)"
    return ["sysctl -w \(setting)", "echo \(setting) >>/etc/sysctl.d/60-dtm.conf"]
  }

  /// A clock may be a little off, and a snapshot a little new.
  private static let clockTolerance = Duration.seconds(60)

  private var clock: Finding {
    let newest = facts.folders.compactMap { folder in
      folder.repository?.newestSnapshot.map { (folder.name, $0) }
    }.max { $0.1 < $1.1 }
    if let (name, time) = newest, time > facts.now.advanced(by: Self.clockTolerance) {
      let behind = HumanUnits.duration(time.since(facts.now))
      return Finding(
        .error, "clock",
        "it is \(behind) behind the newest snapshot of \(Words.visible(name)): times as in @{2h} are"
          + " wrong until it is right", mend: ["timedatectl set-ntp true"])
    }
    if facts.isClockSynchronized == false {
      return Finding(
        .note, "clock", "nothing keeps it right; a step makes times as in @{2h} wrong",
        mend: ["timedatectl set-ntp true"])
    }
    return Finding(.ok, "clock", "no snapshot is newer than now")
  }

  private var journal: Finding {
    facts.hasJournal
      ? Finding(.ok, "journal", "the daemon's entries: journalctl -x -t dtmd")
      : Finding(.note, "journal", "no journald is here: the daemon logs to its standard error")
  }

  // MARK: - Daemon

  private var configuration: [Finding] {
    if !facts.configurationErrors.isEmpty {
      return facts.configurationErrors.map {
        Finding(.error, "configuration", Words.visible($0), mend: ["dtm config check"])
      }
    }
    let count = facts.folders.count { $0.isConfigured }
    if count == 0 {
      return [
        Finding(
          .note, "configuration", "it names no folder: nothing is recorded by itself",
          mend: ["dtm protect DIR"])
      ]
    }
    return [Finding(.ok, "configuration", "it names \(Words.count(count, "folder"))")]
  }

  private var daemon: Finding {
    let unit = facts.isSystem ? "systemctl" : "systemctl --user"
    switch facts.daemon {
    case .running(let version, let pid, let socket):
      if version != ProgramVersion.current {
        return Finding(
          .warning, "daemon",
          "dtmd \(Words.visible(version)) runs, this is \(ProgramVersion.current)",
          mend: ["\(unit) restart dtmd"])
      }
      return Finding(
        .ok, "daemon", "dtmd \(version), process \(pid), answers at \(Words.visible(socket))")
    case .notRunning(let reason):
      let isNeeded = facts.folders.contains(where: \.isConfigured)
      return Finding(
        isNeeded ? .error : .note, "daemon",
        "dtmd is not running"
          + (isNeeded ? ", so nothing is recorded by itself" : "") + ": \(Words.visible(reason))",
        mend: isNeeded ? ["\(unit) enable --now dtmd"] : [])
    case .failing(let reason):
      return Finding(
        .error, "daemon", "dtmd does not answer as it should: \(Words.visible(reason))",
        mend: ["\(unit) restart dtmd"])
    }
  }
}
