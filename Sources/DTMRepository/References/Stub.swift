package import DTMSystem

/// Interim types until the ref log lands; they have its names.
package enum RefValue: Hashable, Sendable {
  case id(ObjectID)
  case name(String)
}

package struct RefMove: Hashable, Sendable {
  package let ref: String
  package let old: RefValue?
  package let new: RefValue?
  package init(ref: String, old: RefValue?, new: RefValue?) {
    self.ref = ref
    self.old = old
    self.new = new
  }
}

package struct Fact: Hashable, Sendable {
  package let subject: ObjectID
  package let key: String
  package let value: [UInt8]
  package init(subject: ObjectID, key: String, value: [UInt8]) {
    self.subject = subject
    self.key = key
    self.value = value
  }
}

package struct LivePack: Hashable, Sendable {
  package let id: PackID
  package let kind: PackKind
  package let length: Int
  package init(id: PackID, kind: PackKind, length: Int) {
    self.id = id
    self.kind = kind
    self.length = length
  }
}

package struct RefLogState: Sendable {
  package var refs: [String: RefValue] = [:]
  package var livePacks: [PackID: LivePack] = [:]
  package var sequence: UInt64 = 0
}

package struct RecordDraft: Sendable {
  package var kind: String
  package var summary: String
  package var moves: [RefMove] = []
  package var facts: [Fact] = []
  package var livePacks: [LivePack] = []
  package var removedPacks: [PackID] = []
  package var undoes: UInt64?
  package var details: [(String, String)] = []
  package init(kind: String, summary: String) {
    self.kind = kind
    self.summary = summary
  }
}

package final class RefLog {
  package init(files: any FileOperations, repository: PackID) {}
  package static func create(
    files: any FileOperations, repository: PackID, _ first: RecordDraft
  ) throws(RepositoryError) {}
  package func read() throws(RepositoryError) -> RefLogState { RefLogState() }
  package func append(_ draft: RecordDraft) throws(RepositoryError) -> RefLogState { RefLogState() }
  package func facts(of subject: ObjectID) throws(RepositoryError) -> [Fact] { [] }
}
