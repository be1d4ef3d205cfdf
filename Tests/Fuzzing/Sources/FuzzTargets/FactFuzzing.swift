@testable internal import DTMFolder
internal import DTMRepository
internal import DTMRules

/// The values of facts in the ref log that modules above it write.
enum FactFuzzing {
  static func stage(_ input: [UInt8]) {
    guard let fact = StageFact(decoding: input) else { return }
    hold(StageFact(decoding: fact.encoded) == fact, "a stage's fact has two encodings")
  }

  static func guarded(_ input: [UInt8]) {
    guard let record = GuardRecord(Seeds.id, decoding: input) else { return }
    hold(
      GuardRecord(Seeds.id, decoding: record.encoded) == record, "an alarm has two encodings")
  }

  static func fired(_ input: [UInt8]) {
    guard let marks = RuleMemory.decoded(input) else {
      return hold(input.count % 8 != 0, "whole marks do not decode")
    }
    hold(RuleMemory.encoded(marks) == input, "marks have two encodings")
    hold(RuleMemory.decoded(RuleMemory.encoded(marks)) == marks, "marks decode to others")
  }
}
