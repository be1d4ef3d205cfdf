internal import DTMControl
internal import DTMRules
internal import DTMSystem

/// The daemon's counters and gauges.
///
/// Families, then folders in the configuration's order: the text of the same facts is the same.
struct DaemonMetrics {
  struct Folder {
    let status: FolderStatus
    let counts: FolderCounts.Reading

    var label: OpenMetricsText.Labels { [("folder", status.name)] }
  }

  /// When the daemon started.
  let started: Timestamp
  let configuration: ConfigurationStatus
  /// Who listens to events.
  let subscribers: Int
  let folders: [Folder]
  let usage: ProcessUsage

  /// OpenMetrics text.
  var text: String {
    var text = OpenMetricsText()
    writeDaemon(&text)
    writeProcess(&text)
    if !folders.isEmpty {
      writeState(&text)
      writeSnapshots(&text)
      writeLast(&text)
      writeWatch(&text)
    }
    return text.finish()
  }

  private func writeDaemon(_ text: inout OpenMetricsText) {
    text.family("dtm_build", .info, help: "The daemon's version.")
    text.sample("_info", [("version", ProgramVersion.current)], 1)
    text.family(
      "dtm_start_time_seconds", .gauge, unit: "seconds",
      help: "When the daemon started (Unix time).")
    text.sample("", [], started.inSeconds)
    text.family(
      "dtm_configuration_loaded_timestamp_seconds", .gauge, unit: "seconds",
      help: "When the configuration that runs was read (Unix time).")
    text.sample("", [], configuration.loaded.inSeconds)
    text.family(
      "dtm_configuration_refused", .gauge,
      help: "1 while a newer configuration was refused because of an error, else 0.")
    text.sample("", [], configuration.error == nil ? 0 : 1)
    text.family("dtm_event_subscribers", .gauge, help: "Clients that listen to events.")
    text.sample("", [], subscribers)
  }

  /// By the names that Prometheus' own client libraries have.
  private func writeProcess(_ text: inout OpenMetricsText) {
    if let bytes = usage.residentBytes {
      text.family(
        "process_resident_memory_bytes", .gauge, unit: "bytes", help: "Memory of the daemon.")
      text.sample("", [], bytes)
    }
    if let seconds = usage.cpuSeconds {
      text.family(
        "process_cpu_seconds", .counter, unit: "seconds", help: "Processor time of the daemon.")
      text.sample("_total", [], seconds)
    }
    if let count = usage.openDescriptors {
      text.family("process_open_fds", .gauge, help: "Open descriptors of the daemon.")
      text.sample("", [], count)
    }
  }

  private func writeState(_ text: inout OpenMetricsText) {
    text.family("dtm_folder_state", .stateset, help: "How well the folder is protected.")
    for folder in folders {
      for state in FolderStatus.State.allCases {
        text.sample(
          "", folder.label + [("dtm_folder_state", state.rawValue)],
          folder.status.state == state ? 1 : 0)
      }
    }
    gauge(&text, "dtm_dirty_paths", "Paths that the next snapshot looks at.") { $0.status.dirty }
    gauge(&text, "dtm_hot_files", "Files open for writing at the last snapshot.") {
      $0.status.hot.count
    }
    gauge(&text, "dtm_uncovered_paths", "Paths that nothing vouches for.") {
      $0.status.uncovered.count
    }
  }

  private func writeSnapshots(_ text: inout OpenMetricsText) {
    text.family("dtm_snapshots", .counter, help: "Snapshots taken, by what triggered them.")
    for folder in folders {
      for trigger in TriggerKind.allCases {
        // Those that never happened are not there; the frequent ones are from the start, so that a
        // rate has its zero.
        let count = folder.counts.snapshots[trigger]
        guard count != nil || trigger == .quiet || trigger == .manual else { continue }
        text.sample("_total", folder.label + [("trigger", trigger.rawValue)], count ?? 0)
      }
    }
    counter(
      &text, "dtm_incomplete_snapshots",
      "Snapshots that could not capture something as it is."
    ) { $0.counts.incompleteSnapshots }
    counter(&text, "dtm_snapshot_failures", "Snapshots that failed; each is tried again.") {
      $0.counts.failures
    }
    counter(&text, "dtm_changed_entries", "Entries added, modified and removed by snapshots.") {
      $0.counts.changedEntries
    }
    counter(
      &text, "dtm_stored_bytes", unit: "bytes", "What the repository grew by through snapshots."
    ) { $0.counts.storedBytes }
    writeDurations(&text)
  }

  private func writeDurations(_ text: inout OpenMetricsText) {
    text.family(
      "dtm_snapshot_duration_seconds", .histogram, unit: "seconds",
      help: "How long a snapshot took.")
    for folder in folders {
      var sum = 0
      for (end, count) in zip(FolderCounts.durationBuckets, folder.counts.durations) {
        sum += count
        text.sample("_bucket", folder.label + [("le", OpenMetricsText.number(end))], sum)
      }
      sum += folder.counts.durations.last ?? 0
      text.sample("_bucket", folder.label + [("le", "+Inf")], sum)
      text.sample("_count", folder.label, sum)
      text.sample("_sum", folder.label, folder.counts.totalDuration / .seconds(1))
    }
  }

  private func writeLast(_ text: inout OpenMetricsText) {
    text.family(
      "dtm_last_snapshot_timestamp_seconds", .gauge, unit: "seconds",
      help: "The time of the newest snapshot (Unix time).")
    for folder in folders {
      guard let last = folder.status.lastSnapshot else { continue }
      text.sample("", folder.label, last.time.inSeconds)
    }
    text.family("dtm_last_snapshot_files", .gauge, help: "Regular files in the newest snapshot.")
    for folder in folders {
      if let last = folder.status.lastSnapshot { text.sample("", folder.label, last.files) }
    }
    text.family(
      "dtm_last_snapshot_bytes", .gauge, unit: "bytes",
      help: "Bytes of the files in the newest snapshot.")
    for folder in folders {
      if let last = folder.status.lastSnapshot { text.sample("", folder.label, last.bytes) }
    }
  }

  private func writeWatch(_ text: inout OpenMetricsText) {
    gauge(&text, "dtm_watched_directories", "Directories that carry a watch.") {
      $0.status.watchedDirectories
    }
    counter(&text, "dtm_queue_overflows", "How often the kernel dropped events.") {
      $0.status.overflows
    }
    counter(
      &text, "dtm_missed_changes",
      "Changes that no event told and a scan found; anything but 0 is a defect."
    ) { $0.status.missedChanges }
    counter(
      &text, "dtm_late_changes",
      "Changes in files with a live writer that an audit found."
    ) { $0.status.lateChanges }
  }

  private func gauge(
    _ text: inout OpenMetricsText, _ name: String, _ help: String, _ value: (Folder) -> Int
  ) {
    text.family(name, .gauge, help: help)
    for folder in folders { text.sample("", folder.label, value(folder)) }
  }

  private func counter(
    _ text: inout OpenMetricsText, _ name: String, unit: String? = nil, _ help: String,
    _ value: (Folder) -> Int
  ) {
    text.family(name, .counter, unit: unit, help: help)
    for folder in folders { text.sample("_total", folder.label, value(folder)) }
  }
}

extension Timestamp {
  /// Unix time as a floating-point number, exact to a microsecond or so.
  fileprivate var inSeconds: Double { Double(seconds) + Double(nanoseconds) / 1e9 }
}
