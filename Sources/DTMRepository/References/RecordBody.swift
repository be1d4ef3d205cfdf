internal import DTMSystem

/// A record's body (format: The ref log): the operation, and in a segment's first record all refs
/// and the operations that can be undone.
package struct RecordBody {
  package var operation: OperationRecord
  /// Of a checkpoint: all refs.
  package var refs: [String: RefValue] = [:]
  /// Of a checkpoint: what can be undone or redone, oldest first.
  package var operations: [OperationRecord] = []

  private enum Field {
    static let time = 1
    static let pid = 2
    static let uid = 3
    static let kind = 4
    static let summary = 5
    static let moves = 6
    static let facts = 7
    static let livePacks = 8
    static let undoes = 9
    static let refs = 10
    static let operations = 11
    static let details = 12
    static let sequence = 13
    static let isUndone = 14
  }

  /// What the state after a passive record that is not the last does not depend on.
  private static let transientFields: UInt64 = [
    Field.time, Field.pid, Field.uid, Field.summary, Field.facts, Field.livePacks, Field.details,
  ].reduce(0) { $0 | 1 << UInt64($1) }

  /// As `decode`, but leaves out what no later state depends on: the bulk of most records.
  static func decodeForState(
    _ reader: ByteReader, sequence: UInt64
  ) throws(DecodingFailure) -> RecordBody {
    let body = try decode(reader, sequence: sequence, omitting: transientFields)
    return body.operation.isUndoable ? try decode(reader, sequence: sequence) : body
  }

  // MARK: Encoding

  /// The body's bytes; one body has one encoding.
  package func encoded() -> [UInt8] {
    var writer = ByteWriter()
    Self.encode(operation, to: &writer) { writer in
      if !refs.isEmpty {
        let sorted = refs.sorted { RefLogState.isOrdered($0.key, $1.key) }
        writer.field(Field.refs) { inner in
          inner.list(sorted) { inner, ref in
            inner.string(ref.key)
            Self.encode(ref.value, to: &inner)
          }
        }
      }
      if !operations.isEmpty {
        writer.field(Field.operations) { inner in
          inner.list(operations) { inner, operation in
            var nested = ByteWriter()
            Self.encode(operation, to: &nested) { _ in }
            nested.field(Field.sequence) { $0.varint(operation.sequence) }
            if operation.isUndone { nested.field(Field.isUndone) { $0.varint(1) } }
            inner.counted(nested.bytes)
          }
        }
      }
    }
    return writer.bytes
  }

  /// Fields 1 … 9 and 12; `between` writes what stands between them. Defaults are left out.
  private static func encode(
    _ operation: OperationRecord, to writer: inout ByteWriter,
    between: (inout ByteWriter) -> Void
  ) {
    if operation.time != Timestamp(seconds: 0) {
      writer.field(Field.time) { inner in
        inner.svarint(operation.time.seconds)
        inner.varint(UInt64(operation.time.nanoseconds))
      }
    }
    if operation.pid > 0 { writer.field(Field.pid) { $0.varint(Int(operation.pid)) } }
    if operation.uid > 0 { writer.field(Field.uid) { $0.varint(Int(operation.uid)) } }
    if !operation.kind.isEmpty { writer.field(Field.kind) { $0.string(operation.kind) } }
    if !operation.summary.isEmpty { writer.field(Field.summary) { $0.string(operation.summary) } }
    if !operation.moves.isEmpty {
      writer.field(Field.moves) { inner in
        inner.list(operation.moves) { inner, move in
          inner.string(move.ref)
          encode(move.old, to: &inner)
          encode(move.new, to: &inner)
        }
      }
    }
    if !operation.facts.isEmpty {
      writer.field(Field.facts) { inner in
        inner.list(operation.facts) { inner, fact in
          inner.id(fact.subject)
          inner.string(fact.key)
          inner.counted(fact.value)
        }
      }
    }
    if !operation.livePacks.isEmpty {
      writer.field(Field.livePacks) { inner in
        inner.list(operation.livePacks) { inner, pack in
          inner.raw(pack.id.bytes)
          inner.u8(pack.kind.rawValue)
          inner.varint(pack.length)
        }
      }
    }
    if let undoes = operation.undoes { writer.field(Field.undoes) { $0.varint(undoes) } }
    between(&writer)
    if !operation.details.isEmpty {
      writer.field(Field.details) { inner in
        inner.list(operation.details) { inner, detail in
          inner.string(detail.0)
          inner.string(detail.1)
        }
      }
    }
  }

  private static func encode(_ value: RefValue?, to writer: inout ByteWriter) {
    switch value {
    case nil: writer.u8(0)
    case .id(let id):
      writer.u8(1)
      writer.id(id)
    case .name(let name):
      writer.u8(2)
      writer.string(name)
    }
  }

  // MARK: Decoding

  /// Reads a body to the reader's end; the sequence stands in the record's header.
  package static func decode(
    _ reader: ByteReader, sequence: UInt64
  ) throws(DecodingFailure) -> RecordBody {
    try decode(reader, sequence: sequence, omitting: 0)
  }

  /// `omitted`: a bit for each field's number.
  private static func decode(
    _ reader: ByteReader, sequence: UInt64, omitting omitted: UInt64
  ) throws(DecodingFailure) -> RecordBody {
    var reader = reader
    var body = RecordBody(operation: emptyOperation)
    body.operation.sequence = sequence
    try reader.fields { number, value throws(DecodingFailure) in
      if omitted >> UInt64(number) & 1 == 1 { return }
      switch number {
      case Field.refs:
        let list = try value.list(minimumLength: 2) { inner throws(DecodingFailure) in
          (try inner.string(), try decodeValue(&inner))
        }
        for (ref, target) in list { body.refs[ref] = target }
      case Field.operations:
        body.operations = try value.list { inner throws(DecodingFailure) in
          try decodeNested(try inner.counted())
        }
      case Field.sequence, Field.isUndone: break
      default: try decode(number, &value, into: &body.operation)
      }
    }
    return body
  }

  private static var emptyOperation: OperationRecord {
    OperationRecord(
      sequence: 0, time: Timestamp(seconds: 0), pid: 0, uid: 0, kind: "", summary: "", moves: [],
      facts: [], livePacks: [], undoes: nil, details: [], isUndone: false)
  }

  private static func decodeNested(
    _ bytes: [UInt8]
  ) throws(DecodingFailure) -> OperationRecord {
    var reader = ByteReader(bytes)
    var operation = emptyOperation
    try reader.fields { number, value throws(DecodingFailure) in
      switch number {
      case Field.sequence: operation.sequence = try value.varint()
      case Field.isUndone: operation.isUndone = try value.varint() == 1
      default: try decode(number, &value, into: &operation)
      }
    }
    return operation
  }

  private static func decode(
    _ number: Int, _ value: inout ByteReader, into operation: inout OperationRecord
  ) throws(DecodingFailure) {
    switch number {
    case Field.time:
      operation.time.seconds = try value.svarint()
      operation.time.nanoseconds = UInt32(try value.int(limit: 999_999_999))
    case Field.pid: operation.pid = Int32(try value.int(limit: Int(Int32.max)))
    case Field.uid: operation.uid = UInt32(try value.int(limit: Int(UInt32.max)))
    case Field.kind: operation.kind = try value.string()
    case Field.summary: operation.summary = try value.string()
    case Field.moves:
      operation.moves = try value.list(minimumLength: 3) { inner throws(DecodingFailure) in
        RefMove(
          ref: try inner.string(), old: try decodeValue(&inner), new: try decodeValue(&inner))
      }
    case Field.facts:
      operation.facts = try value.list(minimumLength: 34) { inner throws(DecodingFailure) in
        Fact(subject: try inner.id(), key: try inner.string(), value: try inner.counted())
      }
    case Field.livePacks:
      operation.livePacks = try value.list(minimumLength: 18) { inner throws(DecodingFailure) in
        try decodePack(&inner)
      }
    case Field.undoes: operation.undoes = try value.varint()
    case Field.details:
      operation.details = try value.list(minimumLength: 2) { inner throws(DecodingFailure) in
        (try inner.string(), try inner.string())
      }
    default: break
    }
  }

  private static func decodeValue(_ reader: inout ByteReader) throws(DecodingFailure) -> RefValue? {
    switch try reader.u8() {
    case 0: return nil
    case 1: return .id(try reader.id())
    case 2: return .name(try reader.string())
    case let other: throw reader.failure("\(other) is no kind of ref value")
    }
  }

  private static func decodePack(_ reader: inout ByteReader) throws(DecodingFailure) -> LivePack {
    guard let id = PackID(try reader.raw(16)) else { throw reader.failure("a uuid has 16 bytes") }
    let number = try reader.u8()
    guard let kind = PackKind(rawValue: number) else {
      throw reader.failure("\(number) is no kind of pack")
    }
    return LivePack(id: id, kind: kind, length: try reader.int())
  }
}
