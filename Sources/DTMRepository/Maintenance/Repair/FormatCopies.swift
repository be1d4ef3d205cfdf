internal import DTMSystem
internal import SystemPackage

/// The copies of `format.json` in the packs' headers.
struct FormatCopies {
  private var found: [RepositoryFormat: (pack: String, count: Int)] = [:]

  init(_ files: any FileOperations) throws(RepositoryError) {
    for directory in ["packs", "live"] {
      let names = try onFile(directory, "list") { () throws(Errno) in try files.list(directory) }
      for name in names.sorted() where PackFile.parse(name) != nil {
        let path = "\(directory)/\(name)"
        let bytes = try onFile(path, "read") { () throws(Errno) in
          try files.open(path, writable: false).read(at: 0, count: RepositoryFormat.lengthLimit)
        }
        guard let header = (try? PackHeader.decode(bytes))?.header,
          let format = (try? RepositoryFormat.decode(header.format))?.format
        else { continue }
        found[format, default: (path, 0)].count += 1
      }
    }
  }

  /// What most packs say; nil where none can be read.
  var most: (format: RepositoryFormat, pack: String, count: Int)? {
    found.max { ($0.value.count, $1.value.pack) < ($1.value.count, $0.value.pack) }
      .map { ($0.key, $0.value.pack, $0.value.count) }
  }

  func has(_ format: RepositoryFormat) -> Bool { found[format] != nil }
}
