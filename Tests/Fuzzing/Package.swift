// swift-tools-version: 6.2
import PackageDescription

// A package of its own: everything in it is built for libFuzzer and the address sanitizer.
//
// The sources of the decoders are symbolic links to those of the programs. DTMRepository has a
// `Digest.swift` of its own, which says why.

let sanitizers = "-sanitize=fuzzer,address"

let swiftSettings: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .unsafeFlags([sanitizers, "-enable-testing"]),
]

let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")

func module(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies + [systemPackage], exclude: exclude,
    swiftSettings: swiftSettings)
}

let package = Package(
  name: "fuzzing",
  dependencies: [
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1")
  ],
  targets: [
    .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    module("DTMSystem", ["CLinux"]),
    module(
      "DTMRepository", ["DTMSystem", "CZstd"], exclude: ["Shared/Objects/Digest.swift"]),
    module("DTMFolder", ["DTMRepository", "DTMSystem", "CSQLite"]),
    module("DTMRules", ["DTMSystem"]),
    module("DTMConfiguration", ["DTMRules", "DTMSystem"]),
    module("DTMControl", ["DTMSystem"], exclude: ["io.dtm.Daemon.varlink"]),
    module(
      "FuzzTargets",
      [
        "DTMConfiguration", "DTMControl", "DTMFolder", "DTMRepository", "DTMRules", "DTMSystem",
      ]),
    // In C: libFuzzer has the program's `main`, which SwiftPM looks for in Swift programs.
    .executableTarget(
      name: "Fuzzer", dependencies: ["FuzzTargets"],
      // gold does not link what the sanitizers need.
      linkerSettings: [.unsafeFlags([sanitizers, "-use-ld=lld"])]),
  ],
  swiftLanguageModes: [.v6]
)
