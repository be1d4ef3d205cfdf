internal import DTMConfiguration
internal import DTMRepository
internal import DTMSystem
internal import SystemPackage

/// The JSON files that decide what the programs do.
enum ConfigurationFuzzing {
  static func configuration(_ input: [UInt8]) {
    let file: FilePath = "/etc/dtm/config.json"
    do {
      let text = try Configuration.parse(input, file: file).bytes
      guard let again = try? Configuration.parse(text, file: file) else {
        fatalError("a configuration that was shown is refused")
      }
      hold(again.bytes == text, "a configuration is another one after it was shown")
    } catch {
      hold(!error.errors.isEmpty, "a configuration is refused without a reason")
      _ = "\(error)"
    }
  }

  static func format(_ input: [UInt8]) {
    guard let (format, _) = try? RepositoryFormat.decode(input) else { return }
    let again = try? RepositoryFormat.decode(format.encoded)
    hold(again?.format == format, "a format is another one after encoding")
  }
}
