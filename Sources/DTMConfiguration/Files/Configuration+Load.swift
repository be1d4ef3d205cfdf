package import SystemPackage

extension Configuration {
  /// A longer file is refused.
  static let largestFile = 4 << 20

  /// Reads the main file and the drop-in files, in the order of their names' bytes, and checks the
  /// whole.
  ///
  /// Drop-in files are those whose name ends in `.json` and does not begin with a dot. Throws
  /// everything that is wrong in any of the files; then nothing of them counts. Blocking.
  package static func load(
    from location: ConfigurationLocation
  ) throws(ConfigurationErrors) -> Configuration {
    try load(from: location, adding: nil)
  }

  /// The same, as if a drop-in file more were there.
  static func load(
    from location: ConfigurationLocation, adding: (file: FilePath, bytes: [UInt8])?
  ) throws(ConfigurationErrors) -> Configuration {
    var loader = ConfigurationLoader()
    loader.readMain(location)
    loader.readDropIns(location, adding: adding)
    return try loader.configuration()
  }

  /// Where the daemon listens, as the main file says, whatever else is wrong in it. Nil where it does not say,
  /// or is not JSON.
  package static func socket(at location: ConfigurationLocation) -> FilePath? {
    var loader = ConfigurationLoader()
    loader.readMain(location)
    return loader.document.daemon.socket
  }

  /// Reads a configuration from one text that stands for a main file; for checks and tests.
  package static func parse(
    _ bytes: [UInt8], file: FilePath
  ) throws(ConfigurationErrors) -> Configuration {
    var loader = ConfigurationLoader()
    loader.takeMain(bytes, file: file)
    return try loader.configuration()
  }
}
