internal import DTMSystem

/// `format.json`: what a program must know before it reads a repository (format: Layout).
package struct RepositoryFormat: Sendable, Hashable {
  package static let version = 1

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
  /// Reads `format.json`.
  ///
  /// Throws `.unsupportedVersion` for a version or a `read` feature that this program does not know,
  /// naming it, and `.corrupt` for what is no such file. `isWritable` is false where a `write`
  /// feature is unknown.
  package static func decode(
    _ bytes: [UInt8]
  ) throws(RepositoryError) -> (format: RepositoryFormat, isWritable: Bool) {
    let document: JSONNode
    do throws(JSONSyntaxError) { document = try JSONNode(parsing: bytes) } catch {
      throw RepositoryError(
        .corrupt, "format.json: \(error.message) (line \(error.line))", file: "format.json")
    }
    guard document["format"]?.string == "dtm", let version = document["version"]?.int else {
      throw RepositoryError(.corrupt, "format.json is no repository's", file: "format.json")
    }
    let features = document["features"]
    let unknown = (features?["read"]?.array ?? []).map { $0.string ?? "?" }
    guard version == Self.version, unknown.isEmpty else {
      let what =
        version == Self.version ? "feature \(unknown.joined(separator: ", "))" : "\(version)"
      throw RepositoryError(
        .unsupportedVersion,
        "the repository has format \(what), this program knows format \(Self.version)",
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
    let writes = features?["write"]?.array ?? []
    return (RepositoryFormat(repository: repository, chunker: chunker), writes.isEmpty)
  }
}
