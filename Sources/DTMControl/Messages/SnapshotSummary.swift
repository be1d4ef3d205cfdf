package import DTMSystem

/// What the daemon tells of a snapshot; the rest stands in the repository.
package struct SnapshotSummary: Sendable, Equatable {
  /// 64 hexadecimal digits.
  package var id: String
  package var time: Timestamp
  package var message: String
  /// Regular files in the snapshot.
  package var files: Int
  /// The bytes of those.
  package var bytes: Int
  package var basis: SnapshotBasis
  /// False when something could not be captured as it should.
  package var isComplete: Bool

  package init(
    id: String, time: Timestamp, message: String, files: Int, bytes: Int, basis: SnapshotBasis,
    isComplete: Bool
  ) {
    self.id = id
    self.time = time
    self.message = message
    self.files = files
    self.bytes = bytes
    self.basis = basis
    self.isComplete = isComplete
  }

  init(_ fields: MessageFields) throws(FieldError) {
    guard let time = Timestamp(rfc3339: try fields.string("time")) else {
      throw FieldError(name: "time")
    }
    self.init(
      id: try fields.string("id"), time: time, message: try fields.string("message"),
      files: try fields.int("files"), bytes: try fields.int("bytes"),
      basis: try fields.word("basis", SnapshotBasis.self), isComplete: try fields.bool("complete"))
  }

  /// Writes the members of the object that stands for this in Varlink and in JSON output.
  package func write(_ writer: inout JSONWriter) {
    writer.field("id", id)
    writer.field("time", time.rfc3339)
    writer.field("message", message)
    writer.field("files", files)
    writer.field("bytes", bytes)
    writer.field("basis", basis.rawValue)
    writer.field("complete", isComplete)
  }
}

/// What vouches that a snapshot missed nothing.
package enum SnapshotBasis: String, Sendable {
  case events
  case scan
  case full
}
