import DTMCommands
import DTMFolder
import DTMRepository
import DTMSystem
import SystemPackage
import Testing

@Suite struct `Tables` {
  @Test func `align columns and leave no space at the end`() {
    var table = Table([.left, .right, .left])
    table.append([Table.Cell("a"), Table.Cell("1"), Table.Cell("x")])
    table.append([Table.Cell("bbb"), Table.Cell("22"), Table.Cell("")])
    table.append([Table.Cell("cc")])
    #expect(table.lines() == ["a     1  x", "bbb  22", "cc"])
    #expect(table.lines(indent: 2).first == "  a     1  x")
  }

  @Test func `give a column that is empty no room`() {
    var table = Table([.left, .left, .left])
    table.append([Table.Cell("a"), Table.Cell(""), Table.Cell("b")])
    #expect(table.lines() == ["a  b"])
  }

  @Test func `measure what is seen, not what is sent`() {
    var table = Table([.left, .left])
    table.append([Table.Cell("日本", { "\u{1B}[1m\($0)\u{1B}[0m" }), Table.Cell("x")])
    table.append([Table.Cell("abcde"), Table.Cell("y")])
    #expect(table.lines() == ["\u{1B}[1m日本\u{1B}[0m   x", "abcde  y"])
  }

  @Test func `cut the flexible column to the terminal's width`() {
    var table = Table([.left, .flexible, .left], terminalWidth: 20)
    table.append([Table.Cell("id"), Table.Cell("a long message here"), Table.Cell("12 B")])
    #expect(table.lines() == ["id  a long me…  12 B"])
    var narrow = Table([.left, .flexible, .left], terminalWidth: 5)
    narrow.append([Table.Cell("id"), Table.Cell("a long message here"), Table.Cell("12 B")])
    #expect(narrow.lines() == ["id  a long …  12 B"], "it keeps a few columns")
  }
}

@Suite struct `Widths` {
  @Test(arguments: [
    ("", 0), ("abc", 3), ("日本", 4), ("e\u{301}", 1), ("→", 1), ("🙂", 2),
    ("\u{1B}[31mred\u{1B}[0m", 3),
  ])
  func `are those of a terminal`(_ text: String, _ width: Int) {
    #expect(DisplayWidth.columns(of: text) == width)
  }

  @Test func `are kept when a text is cut`() {
    #expect(DisplayWidth.cut("abcdef", to: 6) == "abcdef")
    #expect(DisplayWidth.cut("abcdef", to: 4) == "abc…")
    #expect(DisplayWidth.cut("日本語", to: 4) == "日…")
    #expect(DisplayWidth.cut("abc", to: 0) == "")
  }
}

@Suite struct `Words and numbers` {
  @Test func `group thousands and tell one from many`() {
    #expect(Words.grouped(0) == "0")
    #expect(Words.grouped(999) == "999")
    #expect(Words.grouped(1000) == "1,000")
    #expect(Words.grouped(1_234_567) == "1,234,567")
    #expect(Words.grouped(-1234) == "−1,234")
    #expect(Words.count(1, "file") == "1 file")
    #expect(Words.count(2, "file") == "2 files")
    #expect(Words.count(2, "entry", "entries") == "2 entries")
  }

  @Test func `show changes of size with their sign`() {
    #expect(Words.change(inBytes: 217_088) == "+212 KiB")
    #expect(Words.change(inBytes: -41_943_040) == "−40.0 MiB")
    #expect(Words.change(inBytes: 0) == "±0")
  }

  @Test func `let nothing act on the terminal`() {
    #expect(Words.visible("a\u{1B}[2Jb") == "a\\x1b[2Jb")
    #expect(Words.firstLine("one\ntwo") == "one …")
    #expect(Words.firstLine("one") == "one")
  }
}

@Suite struct `Arguments` {
  @Test(arguments: [
    Array("plain".utf8), Array("ümläut".utf8), [0x6E, 0xFF, 0x0A], [0xFF], [0xC3], [],
    Array("\u{10FF41}".utf8), [0xF4, 0x8F, 0xBD, 0x81, 0xFF], [0xED, 0xA0, 0x80],
  ])
  func `keep their bytes`(_ bytes: [UInt8]) {
    #expect(RawArguments.bytes(of: RawArguments.string(of: bytes)) == bytes)
  }

  @Test func `that differ stay different`() {
    let odd: [[UInt8]] = [[0x41, 0xFF], Array("A\u{10FFFF}".utf8), Array("A\u{FFFD}".utf8)]
    #expect(Set(odd.map(RawArguments.string(of:))).count == 3)
  }

  @Test(arguments: [
    (["-C", "d", "log"], "d", ["log"]), (["--folder", "d", "log"], "d", ["log"]),
    (["--folder=d", "log"], "d", ["log"]), (["-Cd", "log"], "d", ["log"]),
    (["-C", "a", "-C", "b", "log", "-C", "c"], "b", ["log", "-C", "c"]),
  ])
  func `name the folder before the command`(
    _ arguments: [String], _ folder: String, _ rest: [String]
  ) {
    let taken = FolderOption.taken(from: arguments)
    #expect(taken.folder == folder)
    #expect(taken.rest == rest)
  }

  @Test func `that end with the option name none`() {
    #expect(FolderOption.taken(from: ["-C"]).rest == ["-C"])
    #expect(FolderOption.taken(from: ["log"]).folder == nil)
  }
}

@Suite struct `Colours` {
  private func style(_ environment: [String: String], isTerminal: Bool) -> Style {
    let sink = MemorySink(terminal: isTerminal ? TerminalSize(columns: 80, rows: 24) : nil)
    let invocation = Invocation(
      arguments: [], environment: environment, output: sink, errors: sink,
      time: SystemTimeSource(), user: 0
    ) { "/" }
    return invocation.style
  }

  @Test func `are for terminals, unless somebody says otherwise`() {
    #expect(style([:], isTerminal: true).isColoured)
    #expect(!style([:], isTerminal: false).isColoured)
    #expect(!style(["NO_COLOR": "1"], isTerminal: true).isColoured)
    #expect(style(["NO_COLOR": ""], isTerminal: true).isColoured)
    #expect(style(["CLICOLOR_FORCE": "1"], isTerminal: false).isColoured)
    #expect(!style(["CLICOLOR_FORCE": "0"], isTerminal: false).isColoured)
    #expect(!style(["CLICOLOR_FORCE": "1", "NO_COLOR": "1"], isTerminal: true).isColoured)
    #expect(!style(["TERM": "dumb"], isTerminal: true).isColoured)
  }
}

@Suite struct `The pager` {
  @Test func `is the one that the environment names`() {
    #expect(PagerChoice(environment: [:])?.command == "less -FRX")
    #expect(PagerChoice(environment: ["PAGER": "more"])?.command == "more")
    #expect(PagerChoice(environment: ["PAGER": "more", "DTM_PAGER": "most"])?.command == "most")
    #expect(PagerChoice(environment: ["PAGER": "cat"]) == nil)
    #expect(PagerChoice(environment: ["DTM_PAGER": "", "PAGER": "more"]) == nil)
    #expect(PagerChoice(environment: [:])?.environment["LESS"] == "FRX")
    #expect(PagerChoice(environment: ["LESS": "R"])?.environment["LESS"] == "R")
  }
}

@Suite struct `The progress line` {
  private func text(_ bytes: [UInt8]?) -> String? {
    bytes.map { String(decoding: $0, as: UTF8.self) }
  }

  @Test func `begins after half a second and says for how long`() {
    var line = ProgressLine("taking a snapshot", columns: 80, at: .seconds(10))
    #expect(line.draw(at: .milliseconds(10_400)) == nil)
    #expect(line.erase() == nil, "nothing stands there")
    #expect(text(line.draw(at: .milliseconds(10_600))) == "\r\u{1B}[Ktaking a snapshot …")
    #expect(line.draw(at: .milliseconds(10_700)) == nil, "nothing is new")
    #expect(text(line.draw(at: .milliseconds(12_100))) == "\r\u{1B}[Ktaking a snapshot … 2 s")
    var reading = WorkProgress.Reading()
    reading.entries = 1200
    #expect(
      text(line.draw(reading, at: .seconds(13)))
        == "\r\u{1B}[Ktaking a snapshot: 1,200 entries … 3 s")
    reading.bytes = 6 << 20
    #expect(
      text(line.draw(reading, at: .seconds(13)))
        == "\r\u{1B}[Ktaking a snapshot: 1,200 entries, 6.0 MiB, 2.0 MiB/s … 3 s")
    reading.expectedEntries = 4800
    reading.expectedBytes = 24 << 20
    #expect(
      text(line.draw(reading, at: .seconds(13)))
        == "\r\u{1B}[Ktaking a snapshot: 9 s left, 1,200 of 4,800 entries, 6.0 MiB of 24.0 MiB, 2.0 …"
    )
    #expect(text(line.erase()) == "\r\u{1B}[K")
    #expect(line.erase() == nil)
  }

  @Test func `stays within the terminal`() {
    var line = ProgressLine("taking a snapshot", columns: 10, at: .zero)
    #expect(text(line.draw(at: .seconds(1))) == "\r\u{1B}[Ktaking a…")
  }
}
