internal import DTMSystem

/// `format.json`: what a program must know before it reads a repository (format: Layout).
package struct RepositoryFormat: Sendable, Hashable {
  package static let version = 1
  /// A `format.json` is shorter than this many bytes.
  static let lengthLimit = 64 << 10

  package let repository: PackID
  package let chunker: ChunkerParameters

  package init(repository: PackID, chunker: ChunkerParameters) {
    self.repository = repository
    self.chunker = chunker
  }

  /// The file's bytes.
  package var encoded: [UInt8] {
    Array(
      """
      {"format":"dtm","version":1,"repository":"\(repository.hex)",\
      "chunker":{"minimum":\(chunker.minimum),"average":\(chunker.average),\
      "maximum":\(chunker.maximum)},"features":{"read":[],"write":[],"collect":[]}}

      """.utf8)
  }
}

extension RepositoryFormat {
  /// What a program may do with a repository whose features it does not know all.
  package struct Permissions: Sendable, Hashable {
    /// Unknown words in `features.write`: nothing may be written.
    package let unknownForWriting: [String]
    /// Unknown words in `features.collect`: nothing may be freed.
    package let unknownForCollecting: [String]

    /// Throws `.unsupportedVersion` where this program must not write.
    package func checkWriting() throws(RepositoryError) {
      try Self.check(unknownForWriting, "write to")
    }

    /// Throws `.unsupportedVersion` where this program must not free anything.
    package func checkCollecting() throws(RepositoryError) {
      try checkWriting()
      try Self.check(unknownForCollecting, "collect")
    }

    private static func check(_ unknown: [String], _ verb: String) throws(RepositoryError) {
      if unknown.isEmpty { return }
      throw RepositoryError(
        .unsupportedVersion,
        "this program must not \(verb) the repository: it does not know the feature "
          + unknown.joined(separator: ", "),
        file: "format.json")
    }
  }

  /// Reads `format.json`.
  ///
  /// Throws `.unsupportedVersion` for a version or a `read` feature that this program does not know,
  /// naming it, and `.corrupt` for what is no such file.
  package static func decode(
    _ bytes: [UInt8]
  ) throws(RepositoryError) -> (format: RepositoryFormat, permissions: Permissions) {
    let document: JSONNode
    do throws(JSONSyntaxError) { document = try JSONNode(parsing: bytes) } catch {
      throw RepositoryError(
        .corrupt, "format.json: \(error.message) (line \(error.line))", file: "format.json")
    }
    guard document["format"]?.string == "dtm", let version = document["version"]?.int else {
      throw RepositoryError(.corrupt, "format.json is no repository's", file: "format.json")
    }
    guard version == Self.version else {
      throw RepositoryError(
        .unsupportedVersion,
        "the repository has format \(version), this program knows format \(Self.version)",
        file: "format.json")
    }
    // A word that is missing, or no word, must not pass for a feature that is not there.
    guard let features = document["features"], let read = words(features["read"]),
      let write = words(features["write"]), let collect = words(features["collect"])
    else {
      throw RepositoryError(
        .corrupt, "format.json lacks the repository's features", file: "format.json")
    }
    guard read.isEmpty else {
      throw RepositoryError(
        .unsupportedVersion,
        "the repository has format feature \(read.joined(separator: ", ")), which this program does "
          + "not know",
        file: "format.json")
    }
    guard let repository = document["repository"]?.string.flatMap(PackID.init(hex:)),
      let sizes = document["chunker"], let minimum = sizes["minimum"]?.int,
      let average = sizes["average"]?.int, let maximum = sizes["maximum"]?.int,
      let chunker = ChunkerParameters(minimum: minimum, average: average, maximum: maximum)
    else {
      throw RepositoryError(
        .corrupt, "format.json lacks the repository's id or chunk sizes", file: "format.json")
    }
    return (
      RepositoryFormat(repository: repository, chunker: chunker),
      Permissions(unknownForWriting: write, unknownForCollecting: collect)
    )
  }

  private static func words(_ node: JSONNode?) -> [String]? {
    guard let array = node?.array else { return nil }
    let words = array.compactMap(\.string)
    return words.count == array.count ? words : nil
  }
}
