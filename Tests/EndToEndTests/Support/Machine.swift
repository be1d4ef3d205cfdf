import Glibc
import Testing

/// A real systemd as the first process of a container: this machine's files beneath an overlay in
/// memory, the programs and units where a package would put them. Gone with the value.
final class Machine {
  /// Why it can't run here; nil where it can.
  static let obstacle: String? = {
    if getuid() != 0 { return "root boots a container" }
    for program in ["systemd-nspawn", "nsenter"] where !Files.exists("/usr/bin/\(program)") {
      return "there is no \(program)"
    }
    return nil
  }()

  private let root: String
  private let container: ChildProcess
  private let environment = ["PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"]
  /// The systemd in it.
  private var leader = ""

  init() throws {
    let programs = try #require(Programs.folder)
    let packaging = try #require(Programs.packaging)
    var template = Array("/tmp/dtm-machine.XXXXXX".utf8CString)
    try #require(unsafe mkdtemp(&template) != nil)
    root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let making = try ChildProcess(
      [
        "sh", "-ec",
        """
        mkdir upper system; mount -t tmpfs tmpfs upper; mkdir upper/files upper/work
        mount -t overlay overlay -o lowerdir=/,upperdir=upper/files,workdir=upper/work system
        : >system/etc/machine-id
        find system/etc/systemd/system -name '*.wants' -prune -exec rm -rf {} +
        rm -rf system/etc/dtm system/var/lib/dtm system/root/.config/dtm
        cp \(programs)/dtm \(programs)/dtmd system/usr/bin/
        cp \(packaging)/systemd/dtmd.* \(packaging)/systemd/dtmd@.service system/etc/systemd/system/
        mkdir -p system/etc/systemd/user system/usr/lib/systemd/catalog
        cp \(packaging)/systemd/dtmd-user.service system/etc/systemd/user/dtmd.service
        cp \(packaging)/systemd/dtmd-user.socket system/etc/systemd/user/dtmd.socket
        cp \(packaging)/journal/dtm.catalog system/usr/lib/systemd/catalog/
        """,
      ], in: root, environment: environment)
    let made = making.finish()
    try #require(made.status == 0, "\(made.errorText)")
    container = try ChildProcess(
      [
        "setsid", "systemd-nspawn", "-b", "-D", "\(root)/system", "--register=no", "--keep-unit",
        "--link-journal=no", "--resolv-conf=off", "--timezone=off", "--console=pipe",
      ], in: root, environment: environment, log: "\(root)/console")
    try waitUntilBooted()
  }

  deinit {
    container.send(SIGKILL)
    _ = container.finish()
    let removal = try? ChildProcess(
      [
        "sh", "-c",
        """
        [ -z "\(leader)" ] || kill -9 \(leader.isEmpty ? "0" : leader) 2>/dev/null
        for i in 1 2 3 4 5 6 7 8 9 10; do umount system 2>/dev/null && break; sleep 0.2; done
        umount upper; cd / && rm -rf \(root)
        """,
      ], in: root, environment: environment)
    _ = removal?.finish()
  }

  private func waitUntilBooted() throws {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline, container.isRunning {
      let children = "/proc/\(container.pid)/task/\(container.pid)/children"
      let bytes = (try? Files.read(children)) ?? []
      leader =
        String(decoding: bytes, as: UTF8.self).split(separator: " ").first.map(String.init) ?? ""
      if !leader.isEmpty {
        let state = try run("systemctl is-system-running").text
        if state == "running\n" || state == "degraded\n" { return }
      }
      usleep(100_000)
    }
    let console = (try? Files.read("\(root)/console")) ?? []
    Issue.record("systemd did not come up: \(String(decoding: console, as: UTF8.self))")
    throw NotBooted()
  }

  struct NotBooted: Error {}

  /// Runs a script in the container, as root.
  func run(_ script: String) throws -> Outcome {
    try ChildProcess(
      ["nsenter", "-t", leader, "-a", "sh", "-ec", script], in: "/", environment: environment
    ).finish()
  }

  /// Runs a script that has to succeed, and returns what it says.
  @discardableResult
  func good(_ script: String) throws -> String {
    let outcome = try run(script)
    try #require(outcome.status == 0, "\(script): \(outcome.text)\(outcome.errorText)")
    return outcome.text
  }

  /// The same as an ordinary user, who is logged in.
  @discardableResult
  func good(as user: String, _ script: String) throws -> String {
    try good(
      """
      runuser -l \(user) -c 'set -e; export XDG_RUNTIME_DIR=/run/user/$(id -u); \(script)'
      """)
  }
}
