internal import DTMFolder
@testable internal import DTMRepository
internal import DTMRules
internal import DTMSystem

/// Small, real encodings from which the fuzzer starts; `packaging/fuzz.sh --seeds` writes them to the
/// corpus. They come from this package, as the checksums in them are its own.
extension FuzzTarget {
  var seeds: [[UInt8]] {
    switch self {
    case .configuration:
      Seeds.texts(
        """
        {"$schema": "https://example.org/dtm.json",
         "daemon": {"socket": "/run/dtm/socket", "logLevel": "debug"},
         "defaults": {"settle": {"quiet": "2s", "atMost": "15m"}, "ignore": ["*.tmp"]},
         "folders": [{"name": "lake", "path": "/srv/data/lake", "ignore": ["/cache/"],
           "settle": {"quiet": "250ms", "atMost": "1h30m", "minInterval": "10s", "openFiles": "ignore"}},
          {"name": "b", "path": "/srv/data/b", "repository": "/srv/b.dtm"}]}
        """,
        #"{"folders": [{"path": "/srv/data/a/../b"}, {"name": ".", "path": "b"}], "folder": null}"#)
    case .contentList:
      [
        ContentList(
          height: 0,
          children: [
            .init(id: Seeds.id, length: 70_000), .init(id: nil, length: 1 << 40),
            .init(id: Seeds.id, length: 65),
          ]
        ).encoded,
        ContentList(height: 2, children: [.init(id: Seeds.id, length: 1 << 50)]).encoded,
      ]
    case .fired: [RuleMemory.encoded([0, 1, .max, 0x0123_4567_89ab_cdef])]
    case .format:
      Seeds.texts(
        """
        {"format":"dtm","version":1,"repository":"\(Seeds.folder.hex)","chunker":{"minimum":16384,\
        "average":65536,"maximum":262144},"features":{"read":[],"write":["later"],"collect":[]}}
        """)
    case .frame: Seeds.frames
    case .guarded: [Seeds.alarm.encoded]
    case .ignore:
      Seeds.texts(
        "# scratch\n*.tmp\n!keep.tmp\n/build/\nlogs/**/*.[0-9]\n\0logs\0a\0x.1",
        "**/a*b*c*d\n[[:alpha:]_-z]?\\ \n\0aabbccdd\0q", "foo/\n\0foo")
    case .innerPage: [Seeds.innerPage]
    case .journal: [Seeds.journal]
    case .json:
      Seeds.texts(
        #"{"a":[1,-2.5e+10,true,false,null,"x\u00e9\ud83d\ude00\n\\"],"base64":"AAE=","":{}}"#,
        #"{"base64": "/2E="}"#, "[[[[0.0E-0]]]]")
    case .leafPage: [Seeds.leafPage]
    case .mergedIndex: [Seeds.mergedIndex]
    case .packTrailer: [Seeds.sealedPack]
    case .record: [Seeds.checkpoint.encoded(), Seeds.operation.encoded()]
    case .segment: [Seeds.segment + Seeds.segment]
    case .snapshot: [Seeds.snapshot.encoded]
    case .stage:
      Seeds.texts("ok\012\0clean\07\0nightly\0boot:1:2\0", "begin\01\0\0r\0\0\0more\0")
    case .tar: [Seeds.archive]
    case .varlink: Seeds.messages
    }
  }
}

/// What the seeds are made of.
enum Seeds {
  static let id = ObjectID(words: (1, 2, 3, 4))
  static let folder = PackID([UInt8](0..<16)) ?? PackID.random()

  static let alarm = GuardRecord(
    damaged: id, good: ObjectID(words: (5, 6, 7, 8)),
    time: Timestamp(seconds: 1_700_000_000, nanoseconds: 0),
    until: Timestamp(seconds: 1_700_086_400, nanoseconds: 0), holdsRetention: true,
    reason: "41 of 50 files were removed")

  static func texts(_ texts: String...) -> [[UInt8]] { texts.map { Array($0.utf8) } }
}
