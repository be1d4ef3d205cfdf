package import DTMSystem

/// The JSON Schema (draft 2020-12) of a configuration, made from the decoder's own table.
package enum ConfigurationSchema {
  /// The schema as `Config/dtmd.schema.json` holds it and `dtm config schema` prints it.
  ///
  /// What a schema can't say is checked by the decoder alone: ranges of durations (they are in the
  /// descriptions), and that names and paths differ.
  package static var bytes: [UInt8] {
    var writer = JSONWriter(pretty: true)
    write(to: &writer)
    writer.endLine()
    return writer.bytes
  }

  /// Writes the schema as one value.
  package static func write(to writer: inout JSONWriter) {
    writer.object { writer in
      writer.field("$schema", "https://json-schema.org/draft/2020-12/schema")
      writer.field("title", "Configuration of dtmd")
      writer.field(
        "description",
        "dtmd.json. Each file of dtmd.json.d is one folder's object: #/$defs/folder.")
      write(DocumentKey.self, to: &writer)
      writer.object("$defs") { writer in
        for definition: any ConfigurationKey.Type in [
          DaemonKey.self, DefaultsKey.self, FolderKey.self, SettleKey.self, RuleKey.self,
          ConditionKey.self, HasKey.self, CheckKey.self, CheckAfterKey.self, KeepKey.self,
          GuardKey.self, AlertKey.self,
        ] {
          writer.object(definition.definition) { write(definition, to: &$0) }
        }
      }
    }
  }

  /// The members that describe an object.
  private static func write<Key: ConfigurationKey>(_: Key.Type, to writer: inout JSONWriter) {
    writer.field("type", "object")
    writer.field("additionalProperties", false)
    if !Key.required.isEmpty {
      writer.field(
        "required", strings: Key.words.filter { Key.required.map(\.rawValue).contains($0) })
    }
    writer.object("properties") { writer in
      for key in Key.allCases {
        writer.object(key.rawValue) { writer in
          writer.field("description", key.help + range(key.rule))
          write(key.rule, isNullable: key.isNullable, to: &writer)
          if let text = key.defaultText { writer.field("default", text) }
        }
      }
    }
  }

  private static func range(_ rule: ValueRule) -> String {
    guard case .duration(let range) = rule else { return "" }
    return " From \(DurationText.text(of: range.lowerBound)) to "
      + "\(DurationText.text(of: range.upperBound))."
  }

  private static func write(_ rule: ValueRule, isNullable: Bool, to writer: inout JSONWriter) {
    switch rule {
    case .schemaAddress: writer.field("type", "string")
    case .absolutePath(let maximumLength):
      type("string", isNullable, &writer)
      writer.field("pattern", "^/")
      writer.field("maxLength", maximumLength)
    case .folderName:
      type("string", isNullable, &writer)
      writer.field("pattern", "^[^./-][^/]*$")
      writer.field("maxLength", FolderName.longest)
    case .word(let words): writer.field("enum", strings: words)
    case .duration:
      type("string", isNullable, &writer)
      writer.field("pattern", DurationText.pattern)
    case .patterns:
      writer.field("type", "array")
      writer.object("items") { writer in
        writer.field("type", "string")
        writer.field("pattern", "^[^#\\r\\n]")
      }
    case .groups:
      writer.field("type", "array")
      writer.object("items") { writer in
        writer.field("type", "array")
        writer.field("minItems", 2)
        writer.field("uniqueItems", true)
        writer.object("items") { writer in
          writer.field("type", "string")
          writer.field("pattern", "^[^*/]*\\*[^*/]*$")
        }
      }
    case .pattern:
      writer.field("type", "string")
      writer.field("pattern", "^[^#!\\r\\n]")
    case .count(let range):
      writer.field("type", "integer")
      writer.field("minimum", range.lowerBound)
      writer.field("maximum", range.upperBound)
    case .size:
      writer.field("type", "string")
      writer.field("pattern", "^[0-9]+(B|[KMGTP]iB|[kKMGTP]B)$")
    case .timeOfDay:
      writer.field("type", "string")
      writer.field("pattern", "^([01][0-9]|2[0-3]):[0-5][0-9]$")
    case .percentage:
      writer.field("type", "string")
      writer.field("pattern", "^([1-9][0-9]?|100)%$")
    case .words(let words):
      writer.field("type", "array")
      writer.object("items") { $0.field("enum", strings: words) }
    case .flag: writer.field("type", "boolean")
    case .command:
      writer.field("type", "array")
      writer.field("minItems", 1)
      writer.object("items") { $0.field("type", "string") }
    case .ruleName:
      writer.field("type", "string")
      writer.field("minLength", 1)
      writer.field("maxLength", RuleKey.longestName)
    case .template: writer.field("type", "string")
    case .templates:
      writer.field("type", "object")
      writer.object("additionalProperties") { $0.field("type", "string") }
    case .object(let key): writer.field("$ref", "#/$defs/\(key.definition)")
    case .objects(let key):
      writer.field("type", "array")
      writer.object("items") { $0.field("$ref", "#/$defs/\(key.definition)") }
    }
  }

  private static func type(_ name: String, _ isNullable: Bool, _ writer: inout JSONWriter) {
    if isNullable {
      writer.field("type", strings: [name, "null"])
    } else {
      writer.field("type", name)
    }
  }
}
