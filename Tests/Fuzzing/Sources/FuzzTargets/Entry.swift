internal import DTMSystem

/// The target that this process fuzzes; set once, before the first input, by libFuzzer's only thread.
nonisolated(unsafe) private var target: FuzzTarget?

/// Chooses the target by the environment's `DTM_FUZZ_TARGET`. With `DTM_FUZZ_SEEDS`, the path of a
/// directory, it writes the target's seeds there instead and ends the process.
@_cdecl("dtm_fuzz_initialize")
public func initialize() {
  let environment = ProcessEnvironment.variables
  let name = environment["DTM_FUZZ_TARGET"] ?? ""
  guard let chosen = FuzzTarget(rawValue: name) else {
    let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: " ")
    fatalError("DTM_FUZZ_TARGET is \"\(name)\", not one of \(names)")
  }
  unsafe target = chosen
  if let directory = environment["DTM_FUZZ_SEEDS"] {
    SeedDirectory.write(chosen.seeds, to: directory)
  }
}

/// Decodes one input. Returns 0: the input may join the corpus.
@_cdecl("dtm_fuzz_one")
public func fuzzOne(_ bytes: UnsafePointer<UInt8>, _ count: Int) -> CInt {
  let input = unsafe Array(UnsafeBufferPointer(start: bytes, count: count))
  unsafe target?.run(input)
  return 0
}

/// Ends the process, which libFuzzer reports with the input, where a fact does not hold.
func hold(_ fact: @autoclosure () -> Bool, _ message: @autoclosure () -> String) {
  if !fact() { fatalError(message()) }
}
