internal import DTMControl
internal import DTMSystem
internal import SystemPackage

/// What the facts about one folder mean.
struct FolderDiagnosis {
  private let folder: FolderFacts
  private let facts: DoctorFacts
  /// The folder's path as a word of the lines that mend.
  private let path: String

  init(_ folder: FolderFacts, _ facts: DoctorFacts) {
    self.folder = folder
    self.facts = facts
    path = Quoting.shell(folder.path)
  }

  var findings: [Finding] {
    [place, protection] + (folder.repository.map(findings) ?? noRepository)
  }

  // MARK: - The folder

  private var place: Finding {
    switch folder.place {
    case .missing:
      return Finding(
        .error, "folder", "there is nothing at its path", mend: ["dtm -C \(path) restore"])
    case .notDirectory: return Finding(.error, "folder", "what is at its path is no directory")
    case .unreadable(let error):
      return Finding(.error, "folder", "it can't be looked at: \(error)", mend: ["ls -ld \(path)"])
    case .directory: break
    }
    var parts = [folder.fileSystem?.name ?? "an unknown file system"]
    if let count = folder.directories {
      parts.append(
        (folder.hasMoreDirectories ? "more than " : "")
          + (count == 1 ? "1 directory" : "\(Words.grouped(count)) directories"))
    }
    if folder.hasLeases == true { parts.append("leases") }
    if folder.fileSystem?.isRemote == true {
      return Finding(
        .warning, "folder",
        parts.joined(separator: ", ")
          + ": what other machines change raises no event here and is found by scans; run dtmd on"
          + " the machine that has the disk")
    }
    if folder.hasLeases == false {
      return Finding(
        .note, "folder",
        parts.joined(separator: ", ")
          + ": no lease can be had, so a file that was written may count as open for longer")
    }
    return Finding(.ok, "folder", parts.joined(separator: ", "))
  }

  private var protection: Finding {
    guard let status = folder.status else { return unprotected }
    let reasons = status.reasons.map(Words.visible).joined(separator: "; ")
    if folder.place == .directory, isUnseen(status) {
      return Finding(
        .error, "protection",
        "the folder is there, but the daemon sees none: its unit has a /tmp of its own, or other"
          + " mounts", mend: dropIn("PrivateTmp=%s", "no"))
    }
    if reasons.lowercased().contains("read-only file system") {
      let place = folder.repository?.path ?? folder.path
      return Finding(
        .error, "protection", reasons, mend: dropIn("ReadWritePaths=%s", Quoting.shell(place)))
    }
    switch status.state {
    case .protected:
      return Finding(.ok, "protection", "every change is seen and captured")
    case .paused:
      return Finding(.warning, "protection", reasons, mend: ["dtm -C \(path) resume"])
    case .degraded: return Finding(.warning, "protection", reasons, mend: ["dtmd status"])
    case .unprotected: return Finding(.error, "protection", reasons, mend: ["dtmd status"])
    }
  }

  /// Whether the daemon finds no folder; at its start its words say so, later its phase.
  private func isUnseen(_ status: FolderStatus) -> Bool {
    status.phase == .offline
      || status.reasons.contains { $0.hasPrefix("there is no folder at") }
  }

  private var unprotected: Finding {
    if !folder.isConfigured {
      return Finding(
        .note, "protection", "no daemon protects it: only dtm snapshot records it",
        mend: ["dtm protect \(path)"])
    }
    if case .running = facts.daemon {
      return Finding(
        .error, "protection",
        "it is in the configuration, but the daemon does not protect it for you",
        mend: ["dtmd reload"])
    }
    return Finding(.error, "protection", "nothing protects it while no daemon runs")
  }

  /// What a unit does not let the daemon do, given by a drop-in; `setting` has the value's place.
  private func dropIn(_ setting: String, _ value: String) -> [String] {
    // One file a folder: each says what it needs.
    let file = Quoting.shell(
      FilePath("/etc/systemd/system/dtmd.service.d").appending("\(folder.name).conf"))
    return [
      "mkdir -p /etc/systemd/system/dtmd.service.d",
      "printf '[Service]\\n\(setting)\\n' \(value) >\(file)",
      "systemctl daemon-reload; systemctl restart dtmd",
    ]
  }

  // MARK: - The repository

  private var noRepository: [Finding] {
    // A daemon that knows the folder has said what is the matter, by a configuration of its own.
    if let status = folder.status, status.state == .unprotected { return [] }
    if folder.place != .directory {
      return [
        Finding(
          .error, "repository", "its .dtm can't be looked at, and the configuration names none")
      ]
    }
    return [
      Finding(
        .error, "repository", "the folder has none, or its .dtm can't be read",
        mend: ["dtm init \(path)"])
    ]
  }

  private func findings(_ repository: RepositoryFacts) -> [Finding] {
    var findings = [condition(repository)]
    if repository.condition == .missing { return findings }
    if let permissions = repository.permissions, permissions & 0o077 != 0 {
      let octal = "0" + String(permissions, radix: 8)
      findings.append(
        Finding(
          .warning, "permissions",
          "others may look into the repository (mode \(octal)), which holds copies of everything",
          mend: ["chmod 700 \(Quoting.shell(repository.path))"]))
    }
    if repository.condition == .sound, repository.newestSnapshot != nil {
      findings.append(verification(repository))
    }
    if let abilities = repository.abilities { findings.append(ability(abilities, repository)) }
    if let space = repository.space { findings += self.space(space, repository) }
    return findings
  }

  private func condition(_ repository: RepositoryFacts) -> Finding {
    let place = Quoting.path(repository.path)
    switch repository.condition {
    case .missing:
      return Finding(
        .error, "repository", "there is none at \(place): mount or bring back what holds it")
    case .unreadable(let reason):
      return Finding(
        .error, "repository", "\(place) can't be read: \(Words.visible(reason))",
        mend: ["ls -ld \(Quoting.shell(repository.path))"])
    case .damaged(let reason):
      return Finding(
        .error, "repository", "\(place) is damaged: \(Words.visible(reason))",
        mend: ["dtm -C \(path) verify --all --read-data", "dtm -C \(path) repair"])
    case .sound: break
    }
    guard let newest = repository.newestSnapshot else {
      return Finding(
        .warning, "repository", "\(place) holds no snapshot yet",
        mend: ["dtm -C \(path) snapshot"])
    }
    let age = HumanUnits.ago(seconds: Int(clamping: facts.now.seconds - newest.seconds))
    if repository.path.starts(with: folder.path) {
      return Finding(
        .note, "repository",
        "it lies in the folder: who removes the folder removes its history; newest snapshot \(age)")
    }
    return Finding(.ok, "repository", "\(place), newest snapshot \(age)")
  }

  /// After so long it is time to read everything again: disks forget.
  private static let verificationPeriod: Int64 = 35 * 86_400

  private func verification(_ repository: RepositoryFacts) -> Finding {
    let mend = ["dtm -C \(path) verify --all --read-data"]
    guard let last = repository.lastVerified else {
      return Finding(
        .note, "verification", "nobody has read all of its data and found it sound yet", mend: mend)
    }
    let seconds = facts.now.seconds - last.seconds
    let words =
      "all data was read and found sound \(HumanUnits.ago(seconds: Int(clamping: seconds)))"
    return seconds > Self.verificationPeriod
      ? Finding(.note, "verification", words + ": it is time to do so again", mend: mend)
      : Finding(.ok, "verification", words)
  }

  private func ability(
    _ abilities: FileSystemAbilities, _ repository: RepositoryFacts
  ) -> Finding {
    let name = repository.fileSystem?.name ?? "an unknown file system"
    if !abilities.mapsShared {
      return Finding(
        .warning, "abilities",
        "\(name) maps no file shared: the state cache can't be kept, each snapshot is a scan")
    }
    if !abilities.hasFineTimes {
      return Finding(
        .warning, "abilities",
        "\(name) has whole seconds only: what changed within one is read again")
    }
    return Finding(
      .ok, "abilities",
      "\(name), nanoseconds, shared maps" + (abilities.clones ? ", clones" : ""))
  }

  /// Below that nothing can be recorded soon, or now.
  private static let littleBytes = 2 << 30
  private static let leastBytes = 256 << 20

  private func space(_ space: FileSystemSpace, _ repository: RepositoryFacts) -> [Finding] {
    let free = HumanUnits.bytes(space.freeBytes)
    let text = "\(free) of \(HumanUnits.bytes(space.totalBytes)) free where the repository is"
    let mend = ["df -h \(Quoting.shell(repository.path))"]
    let isLittle = space.freeBytes < Self.littleBytes && space.freeBytes < space.totalBytes / 20
    let bytes =
      space.freeBytes < Self.leastBytes && space.freeBytes < space.totalBytes / 20
      ? Finding(.error, "space", text + ": snapshots fail when it is full", mend: mend)
      : isLittle ? Finding(.warning, "space", text, mend: mend) : Finding(.ok, "space", text)
    if space.totalInodes > 0, space.freeInodes < space.totalInodes / 100 {
      return [
        bytes,
        Finding(
          .error, "inodes",
          "\(Words.grouped(space.freeInodes)) of \(Words.grouped(space.totalInodes)) free where the"
            + " repository is", mend: ["df -i \(Quoting.shell(repository.path))"]),
      ]
    }
    return [bytes]
  }
}
