import Glibc

/// 10,000 files, about 105 MB: 8,000 data files of 1 … 30 KiB, 2,000 like a system's documents.
struct SmallFiles: Dataset {
  let name = "small"
  static let dataFiles = 8000
  static let documents = 2000
  /// Documents that are compressed already, as many under /usr/share/doc are.
  private static let compressedShare = 0.2

  private struct Plan {
    var kind: FileKind
    var count: Int
    var seed: UInt64
  }

  private let plans: [Plan]

  init() {
    var random = Random(seed: 7)
    var plans: [Plan] = []
    for number in 0..<Self.dataFiles {
      let kind = FileKind.drawn(from: &random)
      let count = Int(random.triangular(from: 1024, to: 30 * 1024, mode: 4096))
      // Of 100 files 3 are copies of an earlier one.
      let isCopy = random.fraction() < 0.03 && number > 100
      plans.append(
        isCopy ? plans[number - 100] : Plan(kind: kind, count: count, seed: UInt64(number)))
    }
    for number in 0..<Self.documents {
      // As under /usr/share: half are below 1.3 KiB, a tenth above 9 KiB, the largest have 64 KiB.
      let quantile = random.fraction()
      let count = Int(512 * exp(1.9 * quantile + 2.95 * pow(quantile, 8)))
      let kind = random.fraction() < Self.compressedShare ? FileKind.blob : .prose
      plans.append(Plan(kind: kind, count: count, seed: UInt64(Self.dataFiles + number)))
    }
    self.plans = plans
  }

  private static func path(_ number: Int, _ kind: FileKind) -> String {
    if number < dataFiles {
      return NestedName.path(number, extension: kind.rawValue)
    }
    let document = number - dataFiles
    let package = document / 3
    return "doc/\(package % 26)/package-\(package)/\(document).\(kind.rawValue)"
  }

  var count: Int { plans.count }

  func path(_ number: Int) -> String { Self.path(number, plans[number].kind) }

  func make(in directory: String) throws {
    let modes: [mode_t] = [0o644, 0o600, 0o755]
    for (number, plan) in plans.enumerated() {
      var random = Random(seed: plan.seed)
      try Files.write(
        plan.kind.bytes(plan.count, from: &random),
        to: "\(directory)/\(Self.path(number, plan.kind))", mode: modes[number % modes.count])
    }
  }
}

/// Paths of files that are spread over 5,000 directories.
enum NestedName {
  static func path(_ number: Int, extension suffix: String) -> String {
    "set\(padded(number % 40, 2))/day\(padded(number / 40 % 125, 3))/"
      + "part-\(padded(number, 7)).\(suffix)"
  }

  static func padded(_ number: Int, _ width: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
  }
}
