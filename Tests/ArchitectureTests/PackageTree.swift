import FoundationEssentials

/// The package as it stands on disk.
enum PackageTree {
  /// Found from this file's own path: …/Tests/ArchitectureTests/PackageTree.swift.
  static let root = String(#filePath.split(separator: "/").dropLast(3).reduce("") { "\($0)/\($1)" })

  static func manifest() throws -> Manifest {
    Manifest(text: try String(contentsOfFile: "\(root)/Package.swift", encoding: .utf8))
  }

  /// Every Swift source beneath `Sources`, sorted by path.
  static func sources() throws -> [SourceFile] {
    try FileManager.default.subpathsOfDirectory(atPath: "\(root)/Sources")
      .filter { $0.hasSuffix(".swift") }
      .sorted()
      .map { path in
        let text = try String(contentsOfFile: "\(root)/Sources/\(path)", encoding: .utf8)
        return SourceFile(path: "Sources/\(path)", text: text)
      }
  }
}
