// swift-tools-version: 6.2
import PackageDescription

// The rooms of the house and the arrows between them. `make build` turns on the explicit import check, so an import
// that is not listed here fails the build.

let swift: [SwiftSetting] = [
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

/// What makes an adapter's `.so` self-contained: its own Swift runtime, one exported symbol, nothing captured by the host.
let adapterLinkage: [LinkerSetting] = [
    .unsafeFlags([
        "-static-stdlib",
        // The default linker keeps protected Swift symbols in the dynamic table in spite of the version script.
        "-use-ld=lld",
        "-Xlinker", "--version-script=\(Context.packageDirectory)/Plugins/adapter.map",
        "-Xlinker", "-Bsymbolic",
        "-Xlinker", "--exclude-libs=ALL",
        "-Xlinker", "--gc-sections",
        "-Xlinker", "-s",
    ])
]

/// A package of its own, without dependencies, for adapters that live elsewhere; SwiftPM knows it by its folder's name.
let adapterKit: Target.Dependency = .product(name: "AdapterKit", package: "AdapterKit")
let adapterTestKit: Target.Dependency = .product(name: "AdapterTestKit", package: "AdapterKit")
let abi: Target.Dependency = .product(name: "CFeedhostABI", package: "AdapterKit")

/// One broker: a codec that tests can link, and the entry point that makes it a plugin.
func adapter(_ name: String) -> [Target] {
    [
        .target(
            name: "\(name)Adapter", dependencies: [adapterKit], path: "Plugins/\(name)/Codec",
            swiftSettings: swift),
        .target(
            name: "\(name)Plugin", dependencies: [adapterKit, abi, .byName(name: "\(name)Adapter")],
            path: "Plugins/\(name)/Entry", swiftSettings: swift, linkerSettings: adapterLinkage),
    ]
}

/// A broker's adapter with a test target of its own.
func testedAdapter(_ name: String) -> [Target] {
    adapter(name) + [
        .testTarget(
            name: "\(name)AdapterTests",
            dependencies: [adapterKit, adapterTestKit, abi, .byName(name: "\(name)Adapter")],
            swiftSettings: swift)
    ]
}

let nioCore: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let nioPosix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let nioEmbedded: Target.Dependency = .product(name: "NIOEmbedded", package: "swift-nio")
let nioHTTP1: Target.Dependency = .product(name: "NIOHTTP1", package: "swift-nio")
let nioWebSocket: Target.Dependency = .product(name: "NIOWebSocket", package: "swift-nio")
let nioSSL: Target.Dependency = .product(name: "NIOSSL", package: "swift-nio-ssl")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")

let package = Package(
    name: "feedhost",
    products: [
        .executable(name: "feedhost", targets: ["feedhost"]),
        .executable(name: "feedhost-simulate", targets: ["feedhost-simulate"]),
        .library(name: "simulator", type: .dynamic, targets: ["SimulatorPlugin"]),
        .library(name: "binance", type: .dynamic, targets: ["BinancePlugin"]),
        .library(name: "zerodha", type: .dynamic, targets: ["ZerodhaPlugin"]),
        .library(name: "angel", type: .dynamic, targets: ["AngelPlugin"]),
        .library(name: "flattrade", type: .dynamic, targets: ["FlattradePlugin"]),
    ],
    dependencies: [
        .package(path: "Sources/AdapterKit"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
    ],
    targets: [
        .systemLibrary(name: "CZeroMQ", pkgConfig: "libzmq", providers: [.apt(["libzmq3-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CArgon2", pkgConfig: "libargon2", providers: [.apt(["libargon2-dev"])]),
        .target(name: "Secrets", swiftSettings: swift),
        .target(name: "MarketData", dependencies: [abi, "Secrets"], swiftSettings: swift),
        .target(name: "TickRing", dependencies: [abi], swiftSettings: swift),
        .target(
            name: "MarketBus", dependencies: ["CZeroMQ", "MarketData", "TickRing", abi],
            swiftSettings: swift),
        .target(
            name: "Transport",
            dependencies: [
                abi, "CZlib", "MarketData", "Secrets", nioCore, nioPosix, nioHTTP1, nioWebSocket, nioSSL,
            ],
            swiftSettings: swift),
        .target(
            name: "Adapters",
            dependencies: [abi, "MarketData", "Secrets", "Transport", nioCore, logging],
            swiftSettings: swift),
        .target(
            name: "Sessions",
            dependencies: [
                abi, "MarketData", "Secrets", "Transport", "Adapters", nioCore, nioPosix, logging,
            ],
            swiftSettings: swift),
        .target(
            name: "Accounts",
            dependencies: [
                "CArgon2", "MarketData", "Secrets", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"), logging,
            ],
            swiftSettings: swift),
        .target(
            name: "Instruments",
            dependencies: [
                "CZlib", "MarketData", "Secrets", .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"), logging,
            ],
            swiftSettings: swift),
        .target(
            name: "StreamProxy",
            dependencies: [
                "MarketData", "Secrets", "MarketBus", "CZlib", nioCore, nioPosix, nioHTTP1, nioWebSocket, nioSSL,
                logging,
            ],
            swiftSettings: swift),
        .target(name: "Operations", dependencies: ["MarketData", logging], swiftSettings: swift),
        .executableTarget(
            name: "feedhost",
            dependencies: [
                "MarketData", "Secrets", "MarketBus", "Transport", "Adapters", "Sessions", "Accounts", "Instruments",
                "StreamProxy", "Operations",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
                logging, nioCore, nioPosix,
            ],
            swiftSettings: swift),
        .target(
            name: "BrokerSimulator",
            dependencies: [
                "MarketData", "CZlib", .product(name: "Crypto", package: "swift-crypto"), nioCore, nioPosix, nioHTTP1,
                nioWebSocket, logging,
            ],
            swiftSettings: swift),
        .executableTarget(
            name: "feedhost-simulate",
            dependencies: [
                "BrokerSimulator", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"), logging,
            ],
            swiftSettings: swift),
        .testTarget(
            name: "BrokerSimulatorTests",
            dependencies: ["BrokerSimulator", "CZlib", nioCore, nioPosix, nioHTTP1, nioEmbedded],
            swiftSettings: swift),
        .testTarget(
            name: "MarketDataTests", dependencies: ["TestSupport", "MarketData", "Secrets", abi],
            swiftSettings: swift),
        .testTarget(
            name: "MarketBusTests",
            dependencies: ["TestSupport", "MarketBus", "MarketData", "TickRing", abi, "CZeroMQ"],
            swiftSettings: swift),
        .testTarget(
            name: "AdapterKitTests", dependencies: [adapterKit, adapterTestKit, abi],
            swiftSettings: swift),
        .testTarget(
            name: "BundledAdapterTests",
            dependencies: [adapterKit, adapterTestKit, abi, "SimulatorAdapter", "BinanceAdapter"],
            swiftSettings: swift),
        .testTarget(
            name: "TransportTests",
            dependencies: [
                "Transport", "TestSupport", "Adapters", "MarketData", "Secrets", abi, nioCore, nioPosix,
                nioHTTP1,
                nioWebSocket, nioSSL, nioEmbedded, logging,
            ],
            swiftSettings: swift),
        // Adapters are tested with scripted ones, which the sessions' tests have.
        .testTarget(
            name: "SessionsTests",
            dependencies: [
                "Sessions", "TestSupport", "Adapters", "Transport", "MarketData", "Secrets", "MarketBus",
                abi, nioCore, nioPosix, logging,
            ],
            swiftSettings: swift),
        .testTarget(
            name: "StreamProxyTests",
            dependencies: [
                "TestSupport", "StreamProxy", "MarketData", "Secrets", "MarketBus", "CZlib", nioCore, nioPosix,
                nioEmbedded, logging,
            ],
            swiftSettings: swift),
        .testTarget(
            name: "AccountsTests",
            dependencies: [
                "TestSupport", "Accounts", "CArgon2", "MarketData", "Secrets",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "CryptoExtras", package: "swift-crypto"), logging,
            ],
            swiftSettings: swift),
        .testTarget(
            name: "InstrumentsTests",
            dependencies: [
                "TestSupport", "Instruments", "MarketData", "Secrets", "CZlib",
                .product(name: "GRDB", package: "GRDB.swift"), logging,
            ],
            swiftSettings: swift),
        .testTarget(
            name: "OperationsTests", dependencies: ["TestSupport", "Operations", "MarketData", logging],
            swiftSettings: swift),
        .testTarget(
            name: "SettingsTests",
            dependencies: [
                "TestSupport", "feedhost", "Accounts", "MarketData", "Secrets", "Operations", "Transport", logging,
                nioCore,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            swiftSettings: swift),
        .target(name: "TestSupport", dependencies: [logging], path: "Tests/TestSupport", swiftSettings: swift),
        .target(name: "AllocationCounter", path: "Tests/Benchmarks/AllocationCounter"),
        .executableTarget(
            name: "feedhost-bench-micro",
            dependencies: [
                "AllocationCounter", adapterKit, adapterTestKit, abi, "ZerodhaAdapter", "AngelAdapter",
                "FlattradeAdapter", "MarketData", "MarketBus", "StreamProxy", nioCore, logging,
            ],
            path: "Tests/Benchmarks/Micro", swiftSettings: swift),
    ] + adapter("Simulator") + adapter("Binance") + ["Zerodha", "Angel", "Flattrade"].flatMap(testedAdapter),
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11
)
