internal import DTMControl
internal import DTMFolder
internal import DTMRepository
internal import DTMRules
internal import DTMSystem

/// What the ref log has of rules.
enum RuleFacts {
  /// The key of the fact with the marks of what was fired for.
  static let fired = "fired"
  /// Before the name of a rule that fired for a snapshot that was there already.
  static let rule = "rule:"

  /// Names that tags may have, by those that are wanted: without what a name can't hold, and with a number
  /// where there is one of this name.
  static func free(_ tags: [String], in history: History) -> [String] {
    var taken = Set(history.tags.map(\.name))
    var free: [String] = []
    for tag in tags {
      let name = allowed(tag)
      var candidate = name
      var number = 2
      while !taken.insert(candidate).inserted {
        candidate = "\(name)-\(number)"
        number += 1
      }
      free.append(candidate)
    }
    return free
  }

  private static func allowed(_ tag: String) -> String {
    if FolderRefs.objection(to: tag) == nil { return tag }
    let kept = tag.utf8.map { byte -> UInt8 in
      let isPlain =
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
        || (0x61...0x7A).contains(byte) || byte >= 0x80
        || "._-+".utf8.contains(byte)
      return isPlain ? byte : UInt8(ascii: "_")
    }
    // The longest name has 200 bytes; a number may follow.
    let text = String(decoding: kept.prefix(180), as: UTF8.self)
      .split(separator: ".", omittingEmptySubsequences: true).joined(separator: ".")
    return FolderRefs.objection(to: text) == nil ? text : "tag-\(text)"
  }
}

extension RepositoryEngine {
  func ruleMemory() throws(FolderEngineError) -> RuleMemory {
    var memory = RuleMemory()
    // What commands brought back while no daemon was there.
    let history: History
    do throws(FolderError) { history = try History(repository, folder: id) } catch {
      throw FolderEngineError(error)
    }
    do throws(RepositoryError) {
      try repository.refLog.history(newestFirst: true, skipsDamage: true) {
        operation throws(RepositoryError) in
        for fact in operation.facts where fact.key == RuleFacts.fired {
          guard let marks = RuleMemory.decoded(fact.value) else { continue }
          memory.add(marks, at: operation.time)
        }
        if let span = history.writingSpan(of: operation, in: id) {
          memory.addRestore(from: span.from, to: span.to)
        }
        return true
      }
    } catch {
      throw FolderEngineError(FolderError(error))
    }
    return memory
  }

  func paths(
    where isWanted: (PathKey, Bool) -> Bool
  ) throws(FolderEngineError) -> [(key: PathKey, isDirectory: Bool)] {
    var found: [(key: PathKey, isDirectory: Bool)] = []
    do throws(FolderError) {
      let history = try History(repository, folder: id)
      guard let head = history.head else { return [] }
      let snapshot = try history.snapshot(head).snapshot
      do throws(RepositoryError) {
        try Tree(root: snapshot.tree, objects: repository.objects).forEach(beneath: nil) { entry in
          let isDirectory = entry.kind == .directory
          if isDirectory || entry.kind == .file, isWanted(entry.key, isDirectory) {
            found.append((entry.key, isDirectory))
          }
          return true
        }
      } catch {
        throw FolderError(error)
      }
    } catch {
      throw FolderEngineError(error)
    }
    return found
  }

  func annotate(_ id: String, _ note: RuleNote) throws(FolderEngineError) {
    guard let snapshot = ObjectID(hex: id) else {
      throw FolderEngineError(.failed, "\(id) is no id")
    }
    do throws(FolderError) {
      let history = try History(repository, folder: self.id)
      var draft = RecordDraft(kind: "label", summary: note.rules.joined(separator: " "))
      for (key, value) in note.labels {
        draft.facts.append(Fact(subject: snapshot, key: "label:\(key)", value: Array(value.utf8)))
      }
      for rule in note.rules {
        draft.facts.append(Fact(subject: snapshot, key: RuleFacts.rule + rule, value: []))
      }
      if !note.marks.isEmpty {
        draft.facts.append(
          Fact(
            subject: snapshot, key: RuleFacts.fired, value: RuleMemory.encoded(note.marks)))
      }
      for tag in RuleFacts.free(note.tags, in: history) {
        draft.moves.append(
          RefMove(ref: history.refs.tag(tag), old: nil, new: .id(snapshot)))
      }
      if note.isPinned, !history.isPinned(snapshot) {
        draft.moves.append(
          RefMove(ref: history.refs.pin(snapshot), old: nil, new: .id(snapshot)))
      }
      try commit(draft)
    } catch {
      throw FolderEngineError(error)
    }
  }
}
