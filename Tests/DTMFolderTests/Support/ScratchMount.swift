import DTMRepository
import DTMSystem
import DTMTestSupport
import Glibc
import SystemPackage

/// File systems of a test's own, in files in memory. Only root can have them, and not in every
/// container: where one can't be had, `SKIPPED` says so by name.
enum ScratchMount {
  /// What Data Time Machine distinguishes; ramfs has no multigrain times, as no file system had before
  /// Linux 6.13.
  static let kinds = ["ext4", "xfs", "btrfs", "tmpfs", "overlay", "ramfs"]

  /// Runs a body with a directory for what is beside the file system, and the one it is mounted on.
  ///
  /// `size`: as truncate(1) takes it; not for ramfs.
  static func with(
    _ kind: String, size: String = "400M", for test: String,
    _ body: (_ base: FilePath, _ mount: FilePath) throws -> Void
  ) throws {
    let base = FilePath("/dev/shm/dtm-test-\(Hex.string(SecureRandom.bytes(8)))")
    try Descriptor.makeDirectory(at: base, mode: 0o700)
    defer {
      _ = shell(
        """
        cd \(quoted(base)) && for i in $(seq 100); do
          for m in mount disk; do mountpoint -q $m && umount $m; done
          mountpoint -q mount || mountpoint -q disk || break
          sleep 0.05
        done
        cd / && rm -rf --one-file-system \(quoted(base))
        """)
    }
    let made = shell("set -e; cd \(quoted(base)); mkdir mount; \(commands(kind, size: size))")
    guard made.status == 0 else {
      print("SKIPPED: \(test): no \(kind): \(made.output)")
      return
    }
    try body(base, base.appending("mount"))
  }

  private static func commands(_ kind: String, size: String) -> String {
    let loop = { (kind: String, place: String) in
      """
      truncate -s \(size) image; mkfs.\(kind) -q image >/dev/null
      mount -o loop image \(place)
      """
    }
    return switch kind {
    case "tmpfs": "mount -t tmpfs -o size=\(size) tmpfs mount"
    case "ramfs": "mount -t ramfs ramfs mount"
    case "overlay":
      """
      mkdir disk; \(loop("ext4", "disk")); mkdir disk/lower disk/upper disk/work
      mount -t overlay -o lowerdir=disk/lower,upperdir=disk/upper,workdir=disk/work overlay mount
      """
    default: loop(kind, "mount")
    }
  }
}
