internal import DTMRepository
internal import DTMSystem

/// What a scan finds although no event told of it: the proof that nothing was missed, or that it was.
extension CaptureRun {
  /// Paths that are reported singly.
  private static let untoldLimit = 1000

  /// Reports a change of which no event told. `record`: nil for what is gone.
  func reportUntold(_ key: PathKey, _ record: StateRecord?, _ known: KnownEntries.Known?) {
    guard let told = options.told, findings.untold.count < Self.untoldLimit, !told(key) else {
      return
    }
    // Each snapshot looks at hot files anyway; of others nothing was known, or nobody vouched for them.
    if hotBefore[key] != nil || known?.record.captureClass == .unknown { return }
    if uncoveredBefore.contains(where: { key == $0 || key.isBeneath($0) }) { return }
    let isDirectory = (record ?? known?.record)?.isDirectory ?? false
    findings.untold.append(
      AuditVerdict.Finding(
        key: key, scope: isDirectory ? .subtree : .entry, isLate: isLate(record, known)))
  }

  /// Whether no event can have told it: somebody has the file open for writing, it has other names, or
  /// nothing that stat tells is another.
  private func isLate(_ record: StateRecord?, _ known: KnownEntries.Known?) -> Bool {
    guard let record, let before = known?.record, record.kind == .file else { return false }
    return record.isLinked || before.isLinked || record.captureClass == .hot
      || record.captureClass == .changing || record.differsInNamesOnly(from: before)
  }
}
