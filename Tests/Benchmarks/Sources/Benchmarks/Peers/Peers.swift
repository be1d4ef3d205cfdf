/// The programs that ours is measured beside.
enum Peers {
  /// Those that are installed.
  static func installed() -> [any Tool] {
    let all: [any Tool] = [Restic(), Borg(), Git(), Casync()]
    return all.filter { (try? $0.version.run()) != nil }
  }
}
