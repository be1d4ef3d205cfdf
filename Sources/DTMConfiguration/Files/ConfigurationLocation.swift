internal import DTMSystem
package import SystemPackage

/// Where a configuration is looked for: a main file, and a directory of drop-in files beside it.
package struct ConfigurationLocation: Sendable, Hashable {
  /// The whole configuration, or what the drop-in files add to.
  package let mainFile: FilePath
  /// The main file's name with `.d`.
  package let dropInDirectory: FilePath
  /// Whether it is an error that the main file is not there. A drop-in directory never has to be.
  package let isMainFileRequired: Bool

  /// The system's: `/etc/dtm/dtmd.json`.
  package static let system = ConfigurationLocation(
    mainFile: "/etc/dtm/dtmd.json", isMainFileRequired: false)

  /// A file that was named.
  package static func file(_ path: FilePath) -> ConfigurationLocation {
    ConfigurationLocation(mainFile: path, isMainFileRequired: true)
  }

  /// A user's own: `dtm/dtmd.json` in `$XDG_CONFIG_HOME`, or in `~/.config`.
  ///
  /// `xdgConfigHome`: the variable's value; one that is empty or relative does not count, as the
  /// XDG Base Directory Specification says.
  package static func user(xdgConfigHome: String?, home: FilePath) -> ConfigurationLocation {
    let base: FilePath =
      if let xdgConfigHome, xdgConfigHome.utf8.first == UInt8(ascii: "/") {
        FilePath(xdgConfigHome)
      } else {
        home.appending(".config")
      }
    return ConfigurationLocation(
      mainFile: base.appending("dtm").appending("dtmd.json"), isMainFileRequired: false)
  }

  private init(mainFile: FilePath, isMainFileRequired: Bool) {
    self.mainFile = mainFile
    self.isMainFileRequired = isMainFileRequired
    dropInDirectory = FilePath(bytes: mainFile.bytes + Array(".d".utf8))
  }
}
