// swift-tools-version: 6.2
import PackageDescription

let swiftSettings: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("InferIsolatedConformances"),
  .enableUpcomingFeature("ImmutableWeakCaptures"),
  .treatAllWarnings(as: .error),
]

let systemPackage: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let argumentParser: Target.Dependency =
  .product(name: "ArgumentParser", package: "swift-argument-parser")
let serviceLifecycle: Target.Dependency =
  .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

func module(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
  .target(
    name: name, dependencies: dependencies, exclude: exclude, swiftSettings: swiftSettings)
}

func program(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .executableTarget(name: name, dependencies: dependencies, swiftSettings: swiftSettings)
}

func tests(
  _ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []
) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["DTMTestSupport", systemPackage], exclude: exclude,
    swiftSettings: swiftSettings)
}

let package = Package(
  name: "dtm",
  products: [
    .executable(name: "dtm", targets: ["dtm"]),
    .executable(name: "dtmd", targets: ["dtmd"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  ],
  targets: [
    .target(name: "CLinux", cSettings: [.define("_GNU_SOURCE")]),
    .systemLibrary(
      name: "CSystemd", pkgConfig: "libsystemd", providers: [.apt(["libsystemd-dev"])]),
    .systemLibrary(name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"])]),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),

    module("DTMSystem", ["CLinux", systemPackage]),
    module("DTMRepository", ["DTMSystem", "CZstd", crypto, systemPackage]),
    module("DTMFolder", ["DTMRepository", "DTMSystem", "CSQLite", systemPackage]),
    module("DTMWatch", ["DTMSystem", systemPackage]),
    module("DTMRules", ["DTMSystem", systemPackage]),
    module("DTMConfiguration", ["DTMRules", "DTMSystem", systemPackage]),
    module("DTMControl", ["DTMSystem", systemPackage], exclude: ["io.dtm.Daemon.varlink"]),
    module(
      "DTMDaemon",
      [
        "DTMConfiguration", "DTMControl", "DTMFolder", "DTMRepository", "DTMRules", "DTMSystem",
        "DTMWatch", "CSystemd", serviceLifecycle, logging, systemPackage,
      ]),
    module(
      "DTMCommands",
      [
        "DTMConfiguration", "DTMControl", "DTMFolder", "DTMRepository", "DTMRules", "DTMSystem",
        argumentParser, systemPackage,
      ]),
    program("dtm", ["DTMCommands"]),
    program("dtmd", ["DTMControl", "DTMDaemon", argumentParser]),

    .target(
      name: "DTMTestSupport", dependencies: ["DTMSystem", systemPackage],
      path: "Tests/DTMTestSupport", swiftSettings: swiftSettings),
    tests("ArchitectureTests", []),
    tests("DTMSystemTests", ["DTMSystem"]),
    tests("DTMRepositoryTests", ["DTMRepository", "DTMSystem"]),
    tests("DTMFolderTests", ["DTMFolder", "DTMRepository", "DTMSystem"]),
    tests("DTMWatchTests", ["DTMWatch", "DTMSystem"]),
    tests("DTMRulesTests", ["DTMRules", "DTMSystem"]),
    tests("DTMConfigurationTests", ["DTMConfiguration", "DTMRules", "DTMSystem"]),
    tests("DTMControlTests", ["DTMControl", "DTMSystem"]),
    tests("DTMDaemonTests", ["DTMDaemon", "DTMControl", "DTMSystem", logging]),
    tests(
      "DTMCommandsTests", ["DTMCommands", "DTMRepository", "DTMSystem"], exclude: ["Golden"]),
    tests("EndToEndTests", ["DTMSystem"]),
  ],
  swiftLanguageModes: [.v6]
)
