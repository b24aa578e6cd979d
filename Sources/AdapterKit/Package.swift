// swift-tools-version: 6.2
import PackageDescription

// What an adapter outside this repository needs, and nothing to fetch. The host uses it by path as others do, so
// warnings are no errors here: a newer compiler's are not to stop somebody else's build. Ours show in the tests, which
// build an adapter as others would and want silence.

let swift: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
]

let package = Package(
    name: "feedhost-adapter-kit",
    products: [
        .library(name: "AdapterKit", targets: ["AdapterKit"]),
        .library(name: "AdapterTestKit", targets: ["AdapterTestKit"]),
        .library(name: "CFeedhostABI", targets: ["CFeedhostABI"]),
    ],
    targets: [
        .target(name: "CFeedhostABI"),
        .target(name: "AdapterKit", dependencies: ["CFeedhostABI"], swiftSettings: swift),
        .target(name: "AdapterTestKit", dependencies: ["AdapterKit", "CFeedhostABI"], swiftSettings: swift),
    ],
    swiftLanguageModes: [.v6],
    cLanguageStandard: .c11
)
