/// What a ref points to; absence is nil.
package enum RefValue: Hashable, Sendable {
  /// An object, as branches and tags do.
  case id(ObjectID)
  /// A name, as HEAD does.
  case name(String)
}

/// A ref that moves, from what it must be now to what it becomes; nil is absence.
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

/// Something learnt about an object after it was written; the newest of a subject's key counts.
package struct Fact: Hashable, Sendable {
  package let subject: ObjectID
  package let key: String
  package let value: [UInt8]

  package init(subject: ObjectID, key: String, value: [UInt8]) {
    self.subject = subject
    self.key = key
    self.value = value
  }

  /// The snapshot that the subject was before it was written again without something; nil for another fact.
  package var rewrittenFrom: ObjectID? {
    key == RefLog.rewrittenFact ? ObjectID(hex: String(decoding: value, as: UTF8.self)) : nil
  }
}

/// A pack that is being written, and how many of its bytes are committed.
package struct LivePack: Hashable, Sendable {
  package let id: PackID
  package let kind: PackKind
  /// Bytes from the pack's start that count.
  package let length: Int

  package init(id: PackID, kind: PackKind, length: Int) {
    self.id = id
    self.kind = kind
    self.length = length
  }
}
