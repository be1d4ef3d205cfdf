import DTMConfiguration
import DTMRules
import DTMSystem
import Glibc
import SystemPackage
import Testing

@Suite struct ConfigurationFilesTests {
  private let scratch: Scratch
  private let location: ConfigurationLocation

  init() throws {
    scratch = try Scratch()
    location = .user(xdgConfigHome: scratch.path.string, home: "/nowhere")
  }

  private func load() throws(ConfigurationErrors) -> Configuration {
    try Configuration.load(from: location)
  }

  /// An error's text without the directory of this test.
  private func text(_ errors: ConfigurationErrors) -> String {
    errors.description.split(separator: scratch.path.string + "/", omittingEmptySubsequences: false)
      .joined()
  }

  @Test func `the places are the system's, the user's or the one that is named`() {
    #expect(ConfigurationLocation.system.mainFile == "/etc/dtm/dtmd.json")
    #expect(ConfigurationLocation.system.dropInDirectory == "/etc/dtm/dtmd.json.d")
    for (value, file) in [
      (nil, "/home/me/.config/dtm/dtmd.json"), ("", "/home/me/.config/dtm/dtmd.json"),
      ("relative", "/home/me/.config/dtm/dtmd.json"), ("/x", "/x/dtm/dtmd.json"),
    ] as [(String?, FilePath)] {
      let user = ConfigurationLocation.user(xdgConfigHome: value, home: "/home/me")
      #expect(user.mainFile == file && !user.isMainFileRequired)
    }
    let named = ConfigurationLocation.file("my.json")
    #expect(named.dropInDirectory == "my.json.d" && named.isMainFileRequired)
  }

  @Test func `nothing there is an empty configuration, unless a file was named`() throws {
    #expect(try load() == Configuration())
    let named = ConfigurationLocation.file(scratch.path.appending("absent.json"))
    let errors = try #require(throws: ConfigurationErrors.self) {
      try Configuration.load(from: named)
    }
    #expect(errors.code == .notFound)
    #expect(text(errors) == "absent.json: can't read this file: No such file or directory")
  }

  @Test func `drop-in files follow the main file in the order of their names`() throws {
    try scratch.write(
      #"{"defaults": {"ignore": ["*.tmp"]}, "folders": [{"path": "/m"}]}"#, to: "dtm/dtmd.json")
    try scratch.write(#"{"path": "/b"}"#, to: "dtm/dtmd.json.d/b.json")
    try scratch.write(#"{"path": "/a", "$schema": "x"}"#, to: "dtm/dtmd.json.d/a.json")
    try scratch.write(#"{"path": "/c"}"#, to: "dtm/dtmd.json.d/B.json")
    for other in [".hidden.json", "a.json~", "a.json.dpkg-old", "README", ".json"] {
      try scratch.write("not JSON", to: "dtm/dtmd.json.d/" + other)
    }
    let configuration = try load()
    #expect(configuration.folders.map(\.name) == ["m", "c", "a", "b"])
    #expect(configuration.folders.allSatisfy { $0.ignore == ["*.tmp"] })
    #expect(configuration.folders.map(\.source.isDropIn) == [false, true, true, true])
    #expect(
      configuration.files.map { $0.lastComponent?.string } == [
        "dtmd.json", "B.json", "a.json", "b.json",
      ])
  }

  @Test func `what is wrong in several files is told together`() throws {
    try scratch.write("{\n\"foldres\": []}", to: "dtm/dtmd.json")
    try scratch.write(#"{"path": "/a"}"#, to: "dtm/dtmd.json.d/1.json")
    try scratch.write(#"{"path": "/a/b"}"#, to: "dtm/dtmd.json.d/2.json")
    try scratch.write(#"{"folders": []}"#, to: "dtm/dtmd.json.d/3.json")
    try scratch.write(#"{"path": "/c",}"#, to: "dtm/dtmd.json.d/4.json")
    try scratch.write([0x7b, 0xff, 0x7d], to: "dtm/dtmd.json.d/5.json")
    let errors = try #require(throws: ConfigurationErrors.self) { try load() }
    #expect(
      text(errors) == """
        dtm/dtmd.json:2:1: the configuration has no key "foldres"; did you mean "folders"?
        dtm/dtmd.json.d/2.json:1:10: /a/b lies in the folder /a: dtm/dtmd.json.d/1.json:1:10
        dtm/dtmd.json.d/3.json:1:1: a drop-in file is one folder's object, not a whole configuration
        dtm/dtmd.json.d/4.json:1:15: a comma may not stand before }
        dtm/dtmd.json.d/5.json:1:2: the byte ff is not UTF-8
        """)
  }

  @Test func `what is no regular file is an error and holds nobody up`() throws {
    scratch.makeDirectory(scratch.path.appending("dtm").appending("dtmd.json"))
    let directory = scratch.path.appending("dtm").appending("dtmd.json.d")
    scratch.makeDirectory(directory)
    unsafe mkfifo(directory.appending("pipe.json").string, 0o644)
    unsafe symlink("absent", directory.appending("link.json").string)
    let errors = try #require(throws: ConfigurationErrors.self) { try load() }
    let lines = text(errors).split(separator: "\n").map(String.init)
    #expect(
      lines.sorted() == [
        "dtm/dtmd.json.d/link.json: can't read this file: No such file or directory",
        "dtm/dtmd.json.d/pipe.json: this is not a regular file",
        "dtm/dtmd.json: this is not a regular file",
      ])
  }

  @Test func `a file that is too long is refused`() throws {
    try scratch.write(
      Array(repeating: UInt8(ascii: " "), count: (4 << 20) + 1), to: "dtm/dtmd.json")
    let errors = try #require(throws: ConfigurationErrors.self) { try load() }
    #expect(text(errors) == "dtm/dtmd.json: this file is longer than 4.0 MiB")
  }

  // MARK: - Drop-in files

  @Test func `a drop-in file that is written reads back as the folder`() throws {
    let dropIn = FolderDropIn(
      name: "my lake", path: "/srv/ä", repository: "/var/lib/dtm/my lake", ignore: ["*.tmp"],
      settle: SettleOverrides(quiet: .milliseconds(1500), openFiles: .capture))
    let file = try dropIn.write(to: location)
    #expect(file == location.dropInDirectory.appending("my lake.json"))
    #expect(
      try scratch.read("dtm/dtmd.json.d/my lake.json") == """
        {
          "name": "my lake",
          "path": "/srv/ä",
          "repository": "/var/lib/dtm/my lake",
          "ignore": [
            "*.tmp"
          ],
          "settle": {
            "quiet": "1s500ms",
            "openFiles": "capture"
          }
        }

        """)
    let folder = try #require(try load().folder(named: "my lake"))
    #expect(folder.path == "/srv/ä" && folder.repository == "/var/lib/dtm/my lake")
    #expect(folder.settle.quiet == .milliseconds(1500) && folder.ignore == ["*.tmp"])
    let status = try Descriptor.open(file, [.readOnly]).status()
    #expect(status.permissions == 0o644 && status.links == 1)
    #expect(try scratch.names(in: "dtm/dtmd.json.d") == ["my lake.json"])
  }

  @Test func `a drop-in file never replaces one`() throws {
    _ = try FolderDropIn(name: "a", path: "/a").write(to: location)
    let before = try scratch.read("dtm/dtmd.json.d/a.json")
    let errors = try #require(throws: ConfigurationErrors.self) {
      try FolderDropIn(name: "a", path: "/b").write(to: location)
    }
    #expect(errors.code == .exists)
    #expect(text(errors) == "dtm/dtmd.json.d/a.json: this drop-in file is there already")
    #expect(try scratch.read("dtm/dtmd.json.d/a.json") == before)
    #expect(try scratch.names(in: "dtm/dtmd.json.d") == ["a.json"])
  }

  @Test func `a drop-in file that would make the configuration wrong is not written`() throws {
    try scratch.write(#"{"folders": [{"path": "/a"}]}"#, to: "dtm/dtmd.json")
    let errors = try #require(throws: ConfigurationErrors.self) {
      try FolderDropIn(name: "b", path: "/a/b").write(to: location)
    }
    #expect(
      text(errors)
        == "dtm/dtmd.json.d/b.json:3:11: /a/b lies in the folder /a: dtm/dtmd.json:1:23")
    for (name, path) in [("../x", "/x"), (".x", "/x"), ("", "/x"), ("x", "/"), ("x", "y")] {
      let errors = #expect(throws: ConfigurationErrors.self) {
        try FolderDropIn(name: name, path: FilePath(path)).write(to: location)
      }
      #expect(errors?.code == .invalid)
    }
    #expect(try scratch.names(in: "dtm") == ["dtmd.json"])
  }

  @Test func `a path that is not UTF-8 can't be configured, and that is said`() throws {
    let bytes: [CChar] = [0x2f, -1, 0]
    let path = unsafe bytes.withUnsafeBufferPointer {
      unsafe FilePath(platformString: $0.baseAddress!)
    }
    let errors = try #require(throws: ConfigurationErrors.self) {
      try FolderDropIn(name: "a", path: path).write(to: location)
    }
    #expect(
      errors.description == "/\\xff: a configuration can't name this path: it is not UTF-8")
  }

  @Test func `of many who write the same name at once exactly one succeeds`() throws {
    let location = location
    for round in 0..<5 {
      let waiting = Monitor(8)
      let written = Monitor(0)
      let threads = try (0..<8).map { number in
        try DedicatedThread(named: "writer") {
          waiting.update { $0 -= 1 }
          // All at once: each has to look while no file is there.
          _ = waiting.wait(until: .never) { $0 == 0 ? true : nil }
          let dropIn = FolderDropIn(name: "same\(round)", path: FilePath("/p\(round)/\(number)"))
          if (try? dropIn.write(to: location)) != nil { written.update { $0 += 1 } }
        }
      }
      for thread in threads { thread.join() }
      #expect(written.withLock { $0 } == 1)
    }
    #expect(try scratch.names(in: "dtm/dtmd.json.d") == (0..<5).map { "same\($0).json" })
    #expect(try load().folders.count == 5)
  }

  @Test func `unprotecting removes the drop-in file and nothing else`() throws {
    try scratch.write(#"{"folders": [{"path": "/m"}]}"#, to: "dtm/dtmd.json")
    _ = try FolderDropIn(name: "one", path: "/1").write(to: location)
    _ = try FolderDropIn(name: "two", path: "/2").write(to: location)
    let file = try FolderDropIn.remove(folderNamed: "one", from: location)
    #expect(file == location.dropInDirectory.appending("one.json"))
    #expect(try scratch.names(in: "dtm/dtmd.json.d") == ["two.json"])
    let inMain = try #require(throws: ConfigurationErrors.self) {
      try FolderDropIn.remove(folderNamed: "m", from: location)
    }
    #expect(
      text(inMain)
        == "dtm/dtmd.json:1:14: this folder stands in the main configuration file; "
        + "remove it there, then reload the daemon")
    let absent = try #require(throws: ConfigurationErrors.self) {
      try FolderDropIn.remove(folderNamed: "tow", from: location)
    }
    #expect(absent.code == .notFound)
    #expect(
      absent.description == "the configuration has no folder \"tow\"; did you mean \"two\"?")
  }

  @Test func `a directory that can't be is named`() throws {
    // As root no mode is in the way: a file where the directory should be is.
    try scratch.write("", to: "dtm/dtmd.json.d")
    let errors = try #require(throws: ConfigurationErrors.self) {
      try FolderDropIn(name: "a", path: "/a").write(to: location)
    }
    #expect(
      text(errors) == "dtm/dtmd.json.d/a.json: can't look for this file: Not a directory")
  }
}
