import DTMConfiguration
import SystemPackage
import Testing

/// The texts of errors, without the file's name.
@Suite struct ConfigurationErrorTextTests {
  typealias Example = (text: String, errors: [String])

  private static let duration =
    #"is a duration in a string, such as "250ms", "2s", "15m" or "1h", not "#
  private static let levels =
    #""trace", "debug", "info", "notice", "warning", "error" or "critical""#

  static let shapes: [Example] = [
    ("", ["1:1: the document is empty"]),
    ("{", ["1:2: the document ends where a key or } is expected"]),
    ("{\n\"daemon\": {},\n\"daemon\": {}}", [#"3:1: the key "daemon" is there twice"#]),
    ("[]", ["1:1: the configuration is an object, not an array"]),
    (#"{"folder": []}"#, [#"1:2: the configuration has no key "folder"; did you mean "folders"?"#]),
    (
      #"{"retention": 1}"#,
      [
        #"1:2: the configuration has no key "retention"; "#
          + "its keys are $schema, daemon, defaults, folders"
      ]
    ),
    (
      "{\"folders\": [{\"path\": \"/a\", \"settle\": {\n  \"quite\": \"2s\"}}]}",
      [#"2:3: settle has no key "quite"; did you mean "quiet"?"#]
    ),
    (
      #"{"folders": [{"path": "/a", "colour": []}]}"#,
      [
        #"1:29: a folder has no key "colour"; its keys are $schema, name, path, repository, "#
          + "ignore, together, settle, rules, checks, keep, alert, guard"
      ]
    ),
    (
      #"{"daemon": {"adminGroup": "dtm"}}"#,
      [#"1:13: daemon has no key "adminGroup"; its keys are socket, metricsFile, logLevel"#]
    ),
    (#"{"folders": {}}"#, [#"1:13: "folders" is an array of folders, not an object"#]),
    (#"{"folders": [3]}"#, ["1:14: a folder is an object, not the number 3"]),
    (#"{"folders": [{}]}"#, [#"1:14: a folder has no "path""#]),
    (#"{"$schema": 1}"#, [#"1:13: "$schema" is a string, not the number 1"#]),
    // Everything that is wrong, in the order of the text.
    (
      "{\"deamon\": 1,\n \"folders\": [{\"paht\": \"/a\"},\n  {\"path\": \"b\"}]}",
      [
        #"1:2: the configuration has no key "deamon"; did you mean "daemon"?"#,
        #"2:14: a folder has no "path""#,
        #"2:15: a folder has no key "paht"; did you mean "path"?"#,
        #"3:12: "path" is an absolute path, not "b""#,
      ]
    ),
  ]

  static let values: [Example] = [
    (#"{"folders": [{"path": null}]}"#, [#"1:23: "path" is an absolute path, not null"#]),
    (#"{"folders": [{"path": "data"}]}"#, [#"1:23: "path" is an absolute path, not "data""#]),
    (
      #"{"folders": [{"path": "/a\u0000"}]}"#,
      [#"1:23: "path" is an absolute path, not "/a\x00""#]
    ),
    (
      #"{"folders": [{"path": "/a/../b"}]}"#,
      [#"1:23: "path" is written without . and .., not "/a/../b""#]
    ),
    (#"{"folders": [{"path": "/"}]}"#, [#"1:23: "path" can't be the root of all files"#]),
    (
      #"{"folders": [{"path": "/a/.b"}]}"#,
      [
        "1:23: the name of this folder is missing; "
          + "its path's last component can't be one: it begins with . or -"
      ]
    ),
    (
      #"{"folders": [{"path": "/a", "name": "b/c"}]}"#,
      [#"1:37: "b/c" can't be a folder's name: it has a / in it"#]
    ),
    (
      #"{"folders": [{"path": "/a", "name": "b\n"}]}"#,
      [
        #"1:37: "b\n" can't be a folder's name: "#
          + "it has a backslash or a character that can't be seen in it"
      ]
    ),
    (
      #"{"folders": [{"path": "/a", "name": ""}]}"#,
      [#"1:37: "" can't be a folder's name: it is empty"#]
    ),
    (#"{"defaults": {"settle": {"quiet": 2}}}"#, [#"1:35: "quiet" \#(duration)the number 2"#]),
    (#"{"defaults": {"settle": {"quiet": "2 s"}}}"#, [#"1:35: "quiet" \#(duration)"2 s""#]),
    (
      #"{"defaults": {"settle": {"quiet": "1ms", "atMost": "1w", "minInterval": "31d"}}}"#,
      [
        #"1:35: "quiet" is from 10ms to 1d, not "1ms""#,
        #"1:73: "minInterval" is from 0s to 30d, not "31d""#,
      ]
    ),
    (
      #"{"defaults": {"settle": {"quiet": "10s", "atMost": "5s", "minInterval": "6s"}}}"#,
      [
        "1:35: quiet (10s) is longer than atMost (5s)",
        "1:73: minInterval (6s) is longer than atMost (5s)",
      ]
    ),
    (
      #"{"defaults": {"settle": {"openFiles": "wiat"}}}"#,
      [#"1:39: "openFiles" is "wait" or "capture", not "wiat"; did you mean "wait"?"#]
    ),
    (
      #"{"daemon": {"logLevel": "verbose"}}"#,
      [#"1:25: "logLevel" is \#(levels), not "verbose""#]
    ),
    (#"{"daemon": {"logLevel": null}}"#, [#"1:25: "logLevel" is \#(levels), not null"#]),
    (
      "{\"daemon\": {\"socket\": \"/\(String(repeating: "x", count: 107))\"}}",
      [#"1:23: "socket" has at most 107 bytes, not 108"#]
    ),
    (
      ##"{"defaults": {"ignore": ["ok", 1, "", "#x", "a\nb", "!"]}}"##,
      [
        "1:32: a pattern is a string, not the number 1",
        #"1:35: "" can't be a pattern: it is empty"#,
        ##"1:39: "#x" can't be a pattern: # begins a comment "##
          + ##"(write \# for a name that begins with it)"##,
        #"1:45: "a\nb" can't be a pattern: it is more than one line"#,
        #"1:53: "!" can't be a pattern: it fits nothing"#,
      ]
    ),
    (
      #"{"defaults": {"ignore": "*.tmp"}}"#,
      [#"1:25: "ignore" is an array of patterns, not "*.tmp""#]
    ),
    (
      #"{"folders": [{"path": "/a", "together": "*.shp"}]}"#,
      [#"1:41: "together" is an array of groups of names, not "*.shp""#]
    ),
    (
      #"{"folders": [{"path": "/a", "together": ["*.shp", ["*.shp", 1, "x", "*/*.shx"], ["*"], ["*", "*"]]}]}"#,
      [
        #"1:42: a group is an array of names with one *, such as ["*.shp", "*.shx"], not "*.shp""#,
        "1:61: a name is a string, not the number 1",
        #"1:64: "x" can't be a name of a group: it has not exactly one *"#,
        #"1:69: "*/*.shx" can't be a name of a group: it has not exactly one *"#,
        "1:81: a group has at least two names, and each once",
        "1:88: a group has at least two names, and each once",
      ]
    ),
  ]

  static let conflicts: [Example] = [
    (
      "{\"folders\": [{\"path\": \"/a/x\"},\n {\"path\": \"/b/x\"}]}",
      [
        #"2:11: another folder is called "x": /etc/dtm/dtmd.json:1:23; "#
          + #"give this folder a "name" of its own"#
      ]
    ),
    (
      "{\"folders\": [{\"path\": \"/a\", \"name\": \"x\"},\n {\"path\": \"/a\"}]}",
      ["2:11: /a is there twice: /etc/dtm/dtmd.json:1:23"]
    ),
    (
      "{\"folders\": [{\"path\": \"/a\"},\n {\"path\": \"/a/b\"}]}",
      ["2:11: /a/b lies in the folder /a: /etc/dtm/dtmd.json:1:23"]
    ),
    (
      "{\"folders\": [{\"path\": \"/a/b\"},\n {\"path\": \"/a\"}]}",
      ["2:11: the folder /a/b lies in /a: /etc/dtm/dtmd.json:1:23"]
    ),
    (
      "{\"folders\": [{\"path\": \"/a\", \"repository\": \"/r\"},\n"
        + " {\"path\": \"/b\", \"repository\": \"/r/x\"}]}",
      ["2:31: another folder keeps its history there: /etc/dtm/dtmd.json:1:43"]
    ),
    (
      #"{"folders": [{"path": "/a", "repository": "/a/r"}]}"#,
      ["1:43: a repository can't lie in the folder /a; only /a/.dtm can"]
    ),
    (
      #"{"folders": [{"path": "/a", "repository": "/b/r"}, {"path": "/b"}]}"#,
      ["1:43: a repository can't lie in the folder /b"]
    ),
    (
      #"{"folders": [{"path": "/r/a", "repository": "/r"}]}"#,
      ["1:45: the folder /r/a lies in this repository"]
    ),
  ]

  @Test(arguments: shapes + values + conflicts)
  func `everything that is wrong is told with its place`(_ example: Example) throws {
    let errors = try #require(throws: ConfigurationErrors.self) {
      try Configuration.parse(Array(example.text.utf8), file: "/etc/dtm/dtmd.json")
    }
    #expect(
      errors.description
        == example.errors.map { "/etc/dtm/dtmd.json:" + $0 }.joined(separator: "\n"))
    #expect(errors.code == .invalid)
  }
}
