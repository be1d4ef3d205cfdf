/// Contenders of the usual shapes.
extension Bench {
  /// Each tool with a place of its own that holds a first snapshot.
  ///
  /// `before` runs before each round, not measured. A tool without commands for it has no figures.
  func prepared(
    _ dataset: any Dataset,
    setUp: @escaping (any Tool, Place) throws -> Void = { _, _ in },
    before: @escaping (any Tool, Place, _ round: Int) throws -> Void = { _, _, _ in },
    commands: @escaping (any Tool, Place, _ round: Int) throws -> [Command]
  ) throws -> [Contender] {
    try tools.map { tool in
      let place = try place(tool.name, dataset)
      return Contender(
        name: tool.name,
        setUp: {
          _ = try measure(tool.create(place) + tool.snapshot(place, 1))
          try setUp(tool, place)
        },
        prepare: { try before(tool, place, $0) },
        measure: { try measure(try commands(tool, place, $0)) })
    }
  }

  /// What needs no snapshot; none without peers.
  func bound(
    _ name: String, _ dataset: any Dataset,
    before: @escaping (Place) throws -> Void = { _ in },
    measure: @escaping (Place) throws -> Measurement
  ) throws -> [Contender] {
    guard hasPeers else { return [] }
    let place = try place(name, dataset)
    return [
      Contender(
        name: name, prepare: { _ in try before(place) }, measure: { _ in try measure(place) })
    ]
  }

  /// An empty directory for what is restored.
  func emptyTarget(_ place: Place) throws {
    try setAside(place.target)
    try Files.makeDirectory(place.target)
  }
}

/// Bytes that a file or directory takes on disk, as du(1) counts them.
func storedBytes(_ path: String, _ place: Place) throws -> Double {
  let output = place.home + "/size"
  try Command("du", "-sB1", path).writing(to: output).run()
  return Double((Files.text(output) ?? "").prefix(while: \.isNumber)) ?? 0
}
