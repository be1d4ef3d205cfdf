/// What happened to a folder's files between two snapshots, as far as a guard is concerned.
package struct GuardEvidence: Sendable, Hashable {
  /// Files before.
  package var files: Int
  /// Files that are gone or empty, and that no others took the place of.
  package var missing = 0
  /// Files that are gone or empty, whatever came in their place.
  package var gone = 0
  /// Of those that have other content, by samples: there is one value over and over in it, or the same in
  /// all.
  package var blanked = 0
  /// It became noise.
  package var noise = 0
  /// It became something else.
  package var unlike = 0
  /// Most of the new files are noise.
  package var areNewOnesNoise = false

  package init(files: Int) {
    self.files = files
  }

  /// Files that have nothing in them any more.
  package var lost: Int { missing + blanked }

  /// Files that turned into something unlike what they were. Noise weighs twice: little but encryption
  /// makes it.
  package var turned: Int { unlike + blanked + 2 * noise }

  /// Whether hardly anything of the damage is left: what was lost is there again, at its place.
  package var isMended: Bool { (gone + blanked + noise + unlike) * 100 <= files }

  /// Why this is an alarm, for people; empty where it is none.
  package func reasons(_ policy: GuardPolicy) -> [String] {
    var reasons: [String] = []
    if policy.reaches(lost, of: files, share: policy.removed) {
      let how = areNewOnesNoise ? ", and new ones hold noise, as encryption leaves it" : ""
      reasons.append("\(share(lost)) are gone or empty\(how)")
    }
    // So many weigh, and at least half of them are there.
    if policy.reaches(turned, of: files, share: policy.rewritten),
      noise + unlike + blanked >= policy.atLeast
    {
      reasons.append(
        noise > unlike + blanked
          ? "\(share(noise)) became noise, as encryption leaves it"
          : "\(share(noise + unlike + blanked)) became something unlike what they were")
    }
    return reasons
  }

  private func share(_ count: Int) -> String {
    let count = min(count, files)
    let percent = files == 0 ? 100 : Int(Double(count) * 100 / Double(files))
    return "\(percent) % of the files (\(count) of \(files))"
  }
}
