package import DTMSystem

package struct LivePack: Sendable {
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
  package var livePacks: [PackID: LivePack]
  package var sequence: UInt64
}
package struct RecordDraft: Sendable {
  package var livePacks: [LivePack]
  package var removedPacks: [PackID]
}
package final class RefLog {
  package init(files: any FileOperations, repository: PackID) {}
  package static func create(files: any FileOperations, repository: PackID, _ first: RecordDraft)
    throws(RepositoryError)
  {}
  package func read() throws(RepositoryError) -> RefLogState {
    RefLogState(livePacks: [:], sequence: 0)
  }
  package func append(_ draft: RecordDraft) throws(RepositoryError) -> RefLogState {
    RefLogState(livePacks: [:], sequence: 0)
  }
}
