import DTMConfiguration
import DTMRules
import SystemPackage
import Testing

@Suite struct `Rules in a configuration` {
  private func parse(_ rules: String) throws(ConfigurationErrors) -> [Rule] {
    let text = "{\"folders\": [{\"path\": \"/a\", \"rules\": [\n\(rules)]}]}"
    return try Configuration.parse(Array(text.utf8), file: "x").folders[0].rules
  }

  private func errors(_ rules: String) -> [String] {
    do throws(ConfigurationErrors) {
      _ = try parse(rules)
      return []
    } catch {
      return error.errors.map { "\($0)".replacing("x:", with: "", maxReplacements: 1) }
    }
  }

  private static let whole = #"""
    { "name": "stage-done", "on": { "marker": "**/_SUCCESS" }, "labels": { "stage": "{dir.name}" } },
    { "name": "delta", "on": { "marker": "**/_delta_log/*.json" },
      "labels": { "table": "{dir.dir.name}", "version": "{stem}" } },
    { "name": "published", "on": { "movedIn": "released/*" }, "tag": "released-{name}", "pin": true },
    { "name": "bulk", "on": { "filesChanged": 10000 } },
    { "name": "big", "on": { "bytesChanged": "20GiB" } },
    { "name": "hourly", "on": { "every": "1h" } },
    { "name": "nightly", "on": { "at": "02:30" }, "labels": { "nightly": "yes" } },
    { "name": "complete", "on": { "directory": "runs/*/",
      "has": { "files": 64, "matching": "part-*.parquet" } } },
    { "name": "stages", "on": { "stage": "*" } },
    { "name": "both", "on": { "marker": "m", "every": "1d" } }
    """#

  @Test func `are read as they are meant`() throws {
    let rules = try parse(Self.whole)
    #expect(rules.count == 10)
    #expect(rules[0].conditions == [.marker(try #require(RulePattern("**/_SUCCESS")))])
    #expect(rules[0].labels["stage"] == (try RuleTemplate("{dir.name}")))
    #expect(rules[2].isPinned && rules[2].tag?.text == "released-{name}")
    #expect(rules[4].conditions == [.bytesChanged(20 << 30)])
    #expect(rules[5].conditions == [.every(.seconds(3600))])
    #expect(rules[6].conditions == [.at(minute: 150)])
    #expect(
      rules[7].conditions == [
        .directory(
          try #require(RulePattern("runs/*/")), files: 64,
          matching: try #require(RulePattern("part-*.parquet")))
      ])
    #expect(rules[9].conditions.count == 2)
    #expect(rules.map(\.isScheduled) == (0..<10).map { $0 == 5 || $0 == 6 })
  }

  @Test func `read back as they are shown`() throws {
    let text = "{\"folders\": [{\"path\": \"/a\", \"rules\": [\(Self.whole)]}]}"
    let configuration = try Configuration.parse(Array(text.utf8), file: "x")
    let again = try Configuration.parse(configuration.bytes, file: "shown")
    #expect(again.folders[0].rules == configuration.folders[0].rules)
  }

  @Test(arguments: [
    (#"{"on": {"marker": "m"}}"#, [#"2:1: a rule has no "name""#]),
    (#"{"name": "a"}"#, [#"2:1: a rule has no "on""#]),
    (
      #"{"name": "a", "on": {}}"#,
      [
        "2:21: on says nothing: its keys are marker, movedIn, filesChanged, bytesChanged, every, at, directory, has, stage"
      ]
    ),
    (
      #"{"name": "a", "on": {"markr": "m"}}"#,
      [#"2:22: on has no key "markr"; did you mean "marker"?"#]
    ),
    (
      #"{"name": "a", "on": {"marker": "m"}, "label": {}}"#,
      [#"2:38: a rule has no key "label"; did you mean "labels"?"#]
    ),
    (
      #"{"name": "a", "on": {"marker": "!m"}}"#,
      [#"2:32: "!m" can't be a pattern here: it takes something back"#]
    ),
    (
      #"{"name": "a", "on": {"at": "25:00"}}"#,
      [#"2:28: "at" is a time of day in a string, such as "02:30", not "25:00""#]
    ),
    (
      #"{"name": "a", "on": {"every": "0s"}}"#,
      [#"2:31: "every" is from 1s to 366d, not "0s""#]
    ),
    (
      #"{"name": "a", "on": {"bytesChanged": "20 gigs"}}"#,
      [#"2:38: "bytesChanged" is a size in a string, such as "64KiB" or "20GiB", not "20 gigs""#]
    ),
    (
      #"{"name": "a", "on": {"filesChanged": 0}}"#,
      [#"2:38: "filesChanged" is a number from 1 to 1000000000, not the number 0"#]
    ),
    (
      #"{"name": "a", "on": {"directory": "d/"}}"#, [#"2:21: "directory" goes with "has""#]
    ),
    (
      #"{"name": "a", "on": {"marker": "m"}, "labels": {"k": "{nam}"}}"#,
      ["2:54: {nam} is no word of a template; did you mean {name}?"]
    ),
    (
      #"{"name": "a", "on": {"marker": "m"}, "tag": "{name"}"#,
      [#"2:45: "{name" has a brace without its other one; {{ is a brace"#]
    ),
    (
      #"{"name": "a", "on": {"every": "1h"}, "tag": "v-{name}"}"#,
      ["2:45: this rule fires for no path: only {rule}, {time} and {folder} say something"]
    ),
    (
      #"{"name": "a", "on": {"every": "1h"}}, {"name": "a", "on": {"every": "1h"}}"#,
      [#"2:48: another rule of this folder is called "a""#]
    ),
    (
      #"{"name": "a", "on": {"marker": "m"}, "pin": 1}"#,
      [#"2:45: "pin" is true or false, not the number 1"#]
    ),
  ])
  func `that are wrong are refused with the place and the nearest word`(
    _ rule: String, _ wanted: [String]
  ) {
    #expect(errors(rule) == wanted)
  }
}
