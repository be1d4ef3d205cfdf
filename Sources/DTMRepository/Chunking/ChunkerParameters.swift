/// How content is cut; fixed for a repository when it is made (format: Chunks).
package struct ChunkerParameters: Hashable, Sendable {
  /// Bytes; powers of two, minimum < average < maximum.
  package let minimum: Int
  package let average: Int
  package let maximum: Int

  package static let standard = ChunkerParameters(unchecked: 16 << 10, 64 << 10, 256 << 10)

  private init(unchecked minimum: Int, _ average: Int, _ maximum: Int) {
    self.minimum = minimum
    self.average = average
    self.maximum = maximum
  }

  /// Nil where the sizes are not powers of two with 64 B ≤ minimum < average < maximum ≤ 8 MiB.
  package init?(minimum: Int, average: Int, maximum: Int) {
    for size in [minimum, average, maximum] {
      guard size >= 64, size <= 8 << 20, size & (size - 1) == 0 else { return nil }
    }
    guard minimum < average, average < maximum else { return nil }
    self.init(unchecked: minimum, average, maximum)
  }
}
