import Glibc
import Testing

/// A file system of its own in a file, for tests that need a real one that is small or can be copied.
///
/// Only root can have one, and not in every container: `make` says `SKIPPED` where it can't be had.
/// Ends with the value, or with `end`.
final class LoopDisk {
  /// Where it is mounted.
  let path: String
  private let image: String
  private let kind: String
  private let work: Workspace
  /// The one that the image lies on: it outlives this one.
  private let host: LoopDisk?
  private var device: String?

  private init(_ work: Workspace, kind: String, image: String, path: String, host: LoopDisk?) {
    self.work = work
    self.host = host
    self.kind = kind
    self.image = image
    self.path = path
  }

  deinit { end() }

  /// Unmounts it, in any case.
  func end() {
    do { try detach() } catch { Issue.record("\(path) can't be unmounted: \(error)") }
    host?.end()
  }

  /// Direct I/O on a file that shares blocks with another goes by blocks of 4 KiB.
  private static let sectors = ["ext4": "-b 4096", "xfs": "-s size=4096"]

  /// Makes the file and the file system in it, and mounts it; nil, said by name, where that can't be.
  ///
  /// `directory` or `host`: where the image lies. `size` as truncate(1) takes it.
  static func make(
    _ work: Workspace, _ kind: String, size: String, in directory: String? = nil,
    on host: LoopDisk? = nil, named name: String, for test: String, options: String = ""
  ) throws -> LoopDisk? {
    let disk = LoopDisk(
      work, kind: kind, image: "\(directory ?? host?.path ?? work.root)/\(name).img",
      path: work.path("mount-\(name)"), host: host)
    let outcome = try work.shellOutcome(
      """
      [ "$(id -u)" = 0 ] || { echo 'only root can mount' >&2; exit 1; }
      truncate -s \(size) '\(disk.image)'
      mkfs.\(kind) -q \(sectors[kind] ?? "") \(options) '\(disk.image)' >/dev/null
      mkdir -p '\(disk.path)'
      """)
    do {
      try #require(outcome.status == 0, "\(outcome.errorText)")
      try disk.attach()
    } catch {
      print("SKIPPED: \(test): no \(kind) in a loop device: \(outcome.errorText)\(error)")
      return nil
    }
    return disk
  }

  /// Mounts the image; writes go past the page cache of the file system that it lies on, so that
  /// what the file holds is what the device was given.
  func attach() throws {
    let attach = "losetup --find --show --sector-size 4096"
    let found = try work.shellOutcome("\(attach) --direct-io=on '\(image)' || \(attach) '\(image)'")
    let device = found.text.split(separator: "\n").last.map(String.init) ?? ""
    guard found.status == 0, device.hasPrefix("/dev/") else { throw CannotMount(found.errorText) }
    self.device = device
    let mounted = try work.shellOutcome("mount -t \(kind) '\(device)' '\(path)'")
    guard mounted.status == 0 else {
      try detach()
      throw CannotMount(mounted.errorText)
    }
  }

  func detach() throws {
    guard let device else { return }
    self.device = nil
    // The last of the processes that were killed may hold it for a moment.
    try work.shell(
      """
      for attempt in $(seq 100); do
        mountpoint -q '\(path)' || break
        umount '\(path)' 2>/dev/null && break
        sleep 0.05
      done
      ! mountpoint -q '\(path)'
      losetup --detach '\(device)'
      """)
  }

  /// Puts another image in its place; it is not mounted then.
  func replaceImage(by other: String) throws {
    try work.shell("mv '\(other)' '\(image)'")
  }

  /// A copy of the image as it is at this moment, in which the writes that have ended stand and no
  /// half of another: a clone of the file's blocks is taken while no write of it is under way.
  func cloneImage(to other: String) throws {
    try work.shell("cp --reflink=always '\(image)' '\(other)'")
  }

  struct CannotMount: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
  }
}
