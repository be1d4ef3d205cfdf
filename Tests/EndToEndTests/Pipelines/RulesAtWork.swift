import DTMSystem
import Glibc
import Testing

extension Workspace {
  /// Starts a daemon with these rules for the data folder, whose repository is `repository` beside it;
  /// returns when it has looked at everything. But for rules and orders no snapshot is taken for an hour.
  func daemon(rules: String) throws -> Daemon {
    try Daemon.configure(
      self, settle: #"{"quiet": "1h", "atMost": "24h", "minInterval": "1h"}"#,
      folders: """
        {"name": "lake", "path": "\(lake)", "repository": "\(path("repository"))",
          "rules": [\(rules)]}
        """)
    let daemon = try Daemon(configured: self)
    // The first look is over.
    try daemon.waitForStatus(0)
    return daemon
  }

  /// The snapshots of rules, or with what rules gave, newest first; asks until there are so many.
  func fired(
    _ count: Int, of rule: String = "done", within limit: Duration = .seconds(20)
  ) throws -> [JSONNode] {
    let deadline = ContinuousClock.now + limit
    while true {
      let found = try log().filter { snapshot in
        let rules = snapshot["trigger"]?["rules"]?.array ?? []
        return rules.contains { $0.string == rule }
      }
      if found.count >= count || ContinuousClock.now > deadline { return found }
      usleep(10_000)
    }
  }
}
