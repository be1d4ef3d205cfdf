/// What is fuzzed: one decoder each; the names are those of the corpus' directories.
///
/// Beside what libFuzzer holds of all (no crash, no hang, memory within its limit), a target holds that
/// what was decoded and is encoded again is the same bytes, or, where a decoder leaves out what it does
/// not know, that it decodes and encodes to the same from then on.
enum FuzzTarget: String, CaseIterable {
  case configuration
  case contentList = "content-list"
  case fired
  case format
  case frame
  case guarded
  case ignore
  case innerPage = "inner-page"
  case journal
  case json
  case leafPage = "leaf-page"
  case mergedIndex = "merged-index"
  case packTrailer = "pack-trailer"
  case record
  case segment
  case snapshot
  case stage
  case tar
  case varlink

  /// Decodes one input and holds the target's facts.
  func run(_ input: [UInt8]) {
    switch self {
    case .configuration: ConfigurationFuzzing.configuration(input)
    case .contentList: ObjectFuzzing.contentList(input)
    case .fired: FactFuzzing.fired(input)
    case .format: ConfigurationFuzzing.format(input)
    case .frame: PackFuzzing.frame(input)
    case .guarded: FactFuzzing.guarded(input)
    case .ignore: FolderFuzzing.ignore(input)
    case .innerPage: ObjectFuzzing.innerPage(input)
    case .journal: FolderFuzzing.journal(input)
    case .json: TextFuzzing.json(input)
    case .leafPage: ObjectFuzzing.leafPage(input)
    case .mergedIndex: PackFuzzing.mergedIndex(input)
    case .packTrailer: PackFuzzing.packTrailer(input)
    case .record: RefLogFuzzing.record(input)
    case .segment: RefLogFuzzing.segment(input)
    case .snapshot: ObjectFuzzing.snapshot(input)
    case .stage: FactFuzzing.stage(input)
    case .tar: FolderFuzzing.archive(input)
    case .varlink: TextFuzzing.varlink(input)
    }
  }
}
