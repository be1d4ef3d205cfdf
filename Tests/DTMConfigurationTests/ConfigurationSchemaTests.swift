import DTMConfiguration
import DTMSystem
import Glibc
import SystemPackage
import Testing

/// The shipped files against the code.
@Suite struct ConfigurationSchemaTests {
  private static let folder: FilePath = FilePath(#filePath).removingLastComponent()
    .removingLastComponent().removingLastComponent().appending("Config")

  private func read(_ name: String) throws -> [UInt8] {
    try Descriptor.open(Self.folder.pushing(FilePath(name)), [.readOnly]).readToEnd()
  }

  /// `DTM_UPDATE_GOLDEN=1` writes the file anew; the difference is for the reviewer.
  @Test func `the schema that is shipped is the one that the decoder's table makes`() throws {
    let file = Self.folder.appending("dtmd.schema.json")
    if unsafe getenv("DTM_UPDATE_GOLDEN") != nil {
      try Descriptor.open(file, [.writeOnly, .create, .truncate], mode: 0o644)
        .write(ConfigurationSchema.bytes, at: 0)
    }
    #expect(
      String(decoding: try read("dtmd.schema.json"), as: UTF8.self)
        == String(decoding: ConfigurationSchema.bytes, as: UTF8.self))
  }

  @Test func `each key of the schema is read, and each key that is read is in the schema`() throws {
    let schema = try JSONNode(parsing: try read("dtmd.schema.json"))
    let definitions = try #require(schema["$defs"])
    // Where an object of each definition stands in a document; @ is the object.
    let places = [
      ("", schema, "@"), ("daemon", definitions["daemon"], #"{"daemon": @}"#),
      ("defaults", definitions["defaults"], #"{"defaults": @}"#),
      ("folder", definitions["folder"], #"{"folders": [@]}"#),
      ("settle", definitions["settle"], #"{"defaults": {"settle": @}}"#),
      ("rule", definitions["rule"], #"{"folders": [{"rules": [@]}]}"#),
      ("on", definitions["on"], #"{"folders": [{"rules": [{"on": @}]}]}"#),
      ("has", definitions["has"], #"{"folders": [{"rules": [{"on": {"has": @}}]}]}"#),
      ("check", definitions["check"], #"{"folders": [{"checks": [@]}]}"#),
      ("after", definitions["after"], #"{"folders": [{"checks": [{"after": @}]}]}"#),
      ("keep", definitions["keep"], #"{"folders": [{"keep": @}]}"#),
      ("guard", definitions["guard"], #"{"folders": [{"guard": @}]}"#),
      ("alert", definitions["alert"], #"{"folders": [{"alert": @}]}"#),
    ]
    #expect(definitions.members?.map(\.key) == places.dropFirst().map(\.0))
    for (name, object, place) in places {
      let keys = try #require(object?["properties"]?.members).map(\.key)
      let words = try Self.keysOfDecoder(place)
      #expect(words == keys, "\(name)")
      for key in keys { #expect(!Self.isUnknown(key, at: place), "\(name).\(key)") }
      #expect(Self.isUnknown(keys[0] + "x", at: place))
      #expect(object?["additionalProperties"]?.bool == false)
    }
  }

  /// The keys that the decoder names when it meets one that is like none.
  private static func keysOfDecoder(_ place: String) throws -> [String] {
    let errors = errors(#"{"qqqqqqqqqqqq": 0}"#, at: place)
    let hint = try #require(errors.compactMap(\.hint).first { $0.hasPrefix("its keys are ") })
    return hint.dropFirst("its keys are ".count).split(separator: ", ").map(String.init)
  }

  private static func isUnknown(_ key: String, at place: String) -> Bool {
    errors("{\"\(key)\": 0}", at: place).contains { $0.message.contains("has no key") }
  }

  private static func errors(_ object: String, at place: String) -> [ConfigurationError] {
    let parts = place.split(separator: "@", omittingEmptySubsequences: false)
    let text = parts.joined(separator: object)
    do throws(ConfigurationErrors) {
      _ = try Configuration.parse(Array(text.utf8), file: "x")
      return []
    } catch {
      return error.errors
    }
  }

  @Test func `the example that is shipped is valid`() throws {
    let configuration = try Configuration.load(
      from: .file(Self.folder.appending("dtmd.json")))
    #expect(configuration.folders.map(\.name) == ["lake", "reports"])
    #expect(configuration.files.count == 2)
  }

  @Test func `what config show writes reads back as the same configuration`() throws {
    let configuration = try Configuration.load(from: .file(Self.folder.appending("dtmd.json")))
    var again = try Configuration.parse(configuration.bytes, file: "shown")
    again.files = configuration.files
    for place in again.folders.indices {
      again.folders[place].source = configuration.folders[place].source
    }
    #expect(again == configuration)
  }

  @Test(arguments: [
    (0, "0s"), (1, "1ms"), (250, "250ms"), (2000, "2s"), (1500, "1s500ms"), (300_000, "5m"),
    (5_400_000, "1h30m"), (604_800_000, "7d"),
  ]) func `a duration is written as it is read`(milliseconds: Int, text: String) {
    #expect(DurationText.text(of: .milliseconds(milliseconds)) == text)
    #expect(HumanUnits.parseDuration(text) == .milliseconds(milliseconds))
  }
}
