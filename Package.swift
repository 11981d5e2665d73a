// swift-tools-version: 6.2
import PackageDescription

/// Every target of ours: Swift 6 mode, and the upcoming features that STYLE asks for.
let strict: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
]

let hummingbird = Target.Dependency.product(name: "Hummingbird", package: "hummingbird")
let grpcCore = Target.Dependency.product(name: "GRPCCore", package: "grpc-swift-2")
let grpcInProcess = Target.Dependency.product(name: "GRPCInProcessTransport", package: "grpc-swift-2")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")
let subprocess = Target.Dependency.product(name: "Subprocess", package: "swift-subprocess")
let system = Target.Dependency.product(name: "SystemPackage", package: "swift-system")
let swiftProtobuf = Target.Dependency.product(name: "SwiftProtobuf", package: "swift-protobuf")
let yams = Target.Dependency.product(name: "Yams", package: "Yams")

func module(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .target(name: name, dependencies: dependencies, swiftSettings: strict)
}

func tests(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .testTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

func executable(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
    .executableTarget(name: name, dependencies: dependencies, swiftSettings: strict)
}

let package = Package(
    name: "salvor",
    platforms: [.macOS(.v15)],
    products: [
        .executable(name: "salvor", targets: ["salvor"]),
        .executable(name: "salvor-agent", targets: ["salvor-agent"]),
        .executable(name: "azure-emulator", targets: ["azure-emulator"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
        .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/grpc/grpc-swift-2", from: "2.4.3"),
        .package(url: "https://github.com/grpc/grpc-swift-protobuf", from: "2.4.1"),
        // Without swift-configuration and full Foundation, which nothing here uses.
        .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
        .package(url: "https://github.com/jpsim/Yams", from: "6.2.2"),
        // Its default traits pull Foundation into the agent: 7 MB for nothing that we use.
        .package(url: "https://github.com/swiftlang/swift-subprocess", from: "1.0.2", traits: []),
        .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    ],
    targets: [
        // System libraries, with static-inline shims for what C offers only as macros.
        .systemLibrary(name: "COpenSSL", pkgConfig: "openssl", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CHivex", pkgConfig: "hivex", providers: [.apt(["libhivex-dev"])]),
        .systemLibrary(name: "CLinux"),
        // What comes before Swift does, in the agent alone.
        .target(name: "CConfinement"),
        // glibc's process handles, which Swift's Glibc module leaves out.
        .systemLibrary(name: "CPidfd"),

        // Leaves.
        module("SalvorSystem", []),
        module("SalvorJSON", []),
        module("SalvorDigest", ["COpenSSL"]),
        module("SalvorRegistry", ["CHivex", "CLinux"]),
        module("SalvorAudit", ["SalvorJSON", "SalvorDigest"]),
        module("SalvorQEMU", ["SalvorSystem", "SalvorJSON", "CPidfd", subprocess, system]),
        module("SalvorImage", ["SalvorSystem", "SalvorDigest", subprocess, system]),

        // The wire, and what travels on it.
        .target(
            name: "SalvorMessages",
            dependencies: [grpcCore, swiftProtobuf, .product(name: "GRPCProtobuf", package: "grpc-swift-protobuf")],
            exclude: ["Generated/SHA256SUMS"], swiftSettings: strict),
        module("SalvorWire", ["CZlib"]),
        module(
            "SalvorTransport",
            [
                "SalvorWire", "SalvorDigest", "COpenSSL", grpcCore,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
            ]),

        // The rescue VM's side.
        module(
            "SalvorAgentCore",
            [
                "SalvorSystem", "SalvorMessages", "SalvorDigest", "SalvorRegistry", "CLinux", "COpenSSL", "CZlib",
                grpcCore,
                swiftProtobuf,
                subprocess, system, logging,
            ]),
        executable(
            "salvor-agent",
            [
                "CConfinement", "SalvorAgentCore", "SalvorTransport", "SalvorMessages", "SalvorDigest", grpcCore,
                logging,
                swiftProtobuf,
            ]),

        // The operator's side.
        module(
            "SalvorCoordinatorCore",
            [
                "SalvorSystem", "SalvorMessages", "SalvorAudit", "SalvorDigest", grpcCore, logging, swiftProtobuf, yams,
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        module(
            "SalvorLocal",
            [
                "SalvorSystem", "SalvorJSON", "SalvorCoordinatorCore", "SalvorDigest", "SalvorQEMU", system, yams,
            ]),
        // The only module with an HTTP client: it takes minutes to build.
        module(
            "SalvorAzure",
            [
                "SalvorSystem", "SalvorAudit", "SalvorJSON", "SalvorCoordinatorCore", "SalvorDigest", "CLinux",
                "COpenSSL", logging,
                subprocess,
                system,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        executable(
            "salvor",
            [
                "SalvorSystem", "SalvorCoordinatorCore", "SalvorLocal", "SalvorAzure", "SalvorQEMU", "SalvorImage",
                "SalvorTransport",
                "SalvorAudit",
                "SalvorMessages", "SalvorDigest", grpcCore, logging, swiftProtobuf, system,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // An Azure Resource Manager that runs here. It knows nothing of the rest.
        module(
            "AzureEmulator",
            [
                "SalvorSystem", "SalvorJSON", "SalvorDigest", "SalvorQEMU", "SalvorTransport", "CLinux", "COpenSSL",
                hummingbird,
                logging,
                system,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "GRDB", package: "GRDB.swift"), .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
            ]),
        executable(
            "azure-emulator",
            [
                "AzureEmulator", "SalvorDigest", "SalvorJSON", "SalvorQEMU", "SalvorTransport", logging, system,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ]),

        // Disks and guests made by code, and the command that lays them out for the demo.
        .target(
            name: "Fixtures", dependencies: ["SalvorImage", "SalvorDigest", "CHivex", "COpenSSL", subprocess, system],
            path: "Tests/Fixtures", exclude: ["StandInGuest", "Floor", "AzureGuest", "AzureWindows"],
            swiftSettings: strict),
        // What every provider has to keep, as checks that each provider's tests run.
        .target(
            name: "ProviderConformance", dependencies: ["SalvorCoordinatorCore"], path: "Tests/ProviderConformance",
            swiftSettings: strict),
        // Guests of 512 bytes, for tests that need a machine and no system on it.
        .target(name: "BootSectorGuests", path: "Tests/BootSectorGuests", swiftSettings: strict),
        .executableTarget(
            name: "make-broken-machine",
            dependencies: [
                "Fixtures", "SalvorImage", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/make-broken-machine", swiftSettings: strict),
        // A disk for a machine of the emulated Azure, for tests that are not in Swift.
        .executableTarget(
            name: "make-azure-guest",
            dependencies: [
                "Fixtures", "SalvorImage", .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/make-azure-guest", swiftSettings: strict),
        .target(
            name: "BenchFigures", dependencies: ["SalvorImage", subprocess, system], path: "Tests/BenchFigures",
            swiftSettings: strict),
        .executableTarget(
            name: "emulator-bench",
            dependencies: [
                "BenchFigures", "SalvorImage", "SalvorJSON", subprocess, system,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/emulator-bench", swiftSettings: strict),
        .executableTarget(
            name: "azure-bench",
            dependencies: [
                "BenchFigures", "SalvorImage", "SalvorJSON", subprocess, system,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/azure-bench", exclude: ["az_vm_repair.py"], swiftSettings: strict),
        .executableTarget(
            name: "rescue-bench",
            dependencies: [
                "BenchFigures", "Fixtures", "SalvorImage", "SalvorQEMU", system,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/rescue-bench", swiftSettings: strict),

        .executableTarget(
            name: "disk-bench",
            dependencies: [
                "BenchFigures", "Fixtures", "SalvorAgentCore", "SalvorImage", "SalvorMessages", swiftProtobuf, logging,
                system,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
            ],
            path: "Tests/disk-bench", swiftSettings: strict),

        // A coordinator's listener for peers that are not in Swift.
        .executableTarget(
            name: "tls-listener",
            dependencies: [
                "SalvorTransport", .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "NIOCore", package: "swift-nio"), .product(name: "NIOPosix", package: "swift-nio"),
            ],
            path: "Tests/tls-listener", swiftSettings: strict),

        tests("SalvorSystemTests", ["SalvorSystem", "SalvorJSON"]),
        tests("SalvorAuditTests", ["SalvorAudit", "SalvorDigest", "SalvorJSON"]),
        tests("SalvorQEMUTests", ["SalvorQEMU", "SalvorSystem", "SalvorJSON", "BootSectorGuests", subprocess, system]),
        tests("SalvorImageTests", ["SalvorImage", "SalvorDigest", "Fixtures", subprocess, system]),
        tests("SalvorRegistryTests", ["SalvorRegistry", "SalvorDigest", "Fixtures", subprocess, system]),
        tests("SalvorMessagesTests", ["SalvorMessages", "SalvorDigest"]),
        tests("SalvorWireTests", ["SalvorWire"]),
        tests(
            "SalvorTransportTests",
            [
                "SalvorTransport", "SalvorWire", "SalvorDigest", grpcCore, subprocess,
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"), .product(name: "NIOEmbedded", package: "swift-nio"),
            ]),
        tests(
            "SalvorAgentCoreTests",
            [
                "SalvorAgentCore", "SalvorSystem", "SalvorMessages", "SalvorDigest", "SalvorImage", "CLinux",
                "Fixtures",
                grpcCore, grpcInProcess, swiftProtobuf,
                subprocess, system, logging,
            ]),
        tests(
            "SalvorCoordinatorCoreTests",
            [
                "SalvorSystem", "SalvorCoordinatorCore", "SalvorAudit", "SalvorMessages", "SalvorDigest", grpcCore,
                grpcInProcess,
                subprocess, system,
                .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        tests(
            "SalvorLocalTests",
            [
                "SalvorLocal", "SalvorCoordinatorCore", "SalvorQEMU", "BootSectorGuests", "Fixtures",
                "ProviderConformance", subprocess, system,
            ]),
        // Against the emulator, in the same process.
        tests(
            "SalvorAzureTests",
            [
                "SalvorAzure", "SalvorAudit", "SalvorCoordinatorCore", "SalvorMessages", "SalvorJSON", "SalvorDigest",
                "SalvorTransport", "AzureEmulator", "ProviderConformance", "COpenSSL", grpcCore, logging, swiftProtobuf,
                system,
            ]),
        // Both ends of the link as the two commands have them, in one process.
        tests(
            "LinkTests",
            [
                "salvor", "salvor-agent", "SalvorCoordinatorCore", "SalvorAgentCore", "SalvorMessages",
                "SalvorSystem", "SalvorDigest", "SalvorTransport", logging, swiftProtobuf,
            ]),
        tests("AzureEmulatorTests", ["AzureEmulator", "SalvorDigest", "SalvorJSON", logging]),
        // Machines of the emulator that are started in earnest: slow.
        tests(
            "RealMachineTests",
            [
                "AzureEmulator", "SalvorQEMU", "SalvorImage", "SalvorMessages", "SalvorSystem", "SalvorDigest",
                "SalvorJSON",
                "Fixtures", swiftProtobuf, logging, system,
            ]),
        tests("RescueTests", ["Fixtures", "SalvorImage", "SalvorDigest", subprocess, system]),
    ]
)

// Nothing but `make bench-wire` sees gRPC's HTTP/2 transport, which it measures against: it brings a TLS of its own, and
// takes minutes to build.
if Context.environment["SALVOR_BENCH_WIRE"] != nil {
    package.dependencies.append(
        .package(url: "https://github.com/grpc/grpc-swift-nio-transport", from: "2.9.2"))
    package.targets.append(
        .executableTarget(
            name: "wire-bench",
            dependencies: [
                "BenchFigures", "SalvorTransport", "SalvorWire", "SalvorImage", "COpenSSL", grpcCore, subprocess,
                system,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "GRPCNIOTransportHTTP2Posix", package: "grpc-swift-nio-transport"),
            ],
            path: "Tests/wire-bench", swiftSettings: strict))
}

// A sanitizer is of use where bytes of strangers and threads meet, and costs a build of all that it looks at: `make
// sanitize` builds the transport, its tests, and what these need.
if Context.environment["SALVOR_SANITIZE"] != nil {
    package.products = []
    let wanted = ["SalvorTransportTests", "SalvorWireTests"]
    func needs(_ name: String) -> Set<String> {
        let target = package.targets.first { $0.name == name }
        return (target?.dependencies ?? []).reduce(into: [name]) { needed, dependency in
            switch dependency {
            case .byNameItem(let name, _), .targetItem(let name, _): needed.formUnion(needs(name))
            default: ()
            }
        }
    }
    let needed = wanted.reduce(into: Set<String>()) { $0.formUnion(needs($1)) }
    package.targets.removeAll { !needed.contains($0.name) }
    for target in package.targets where target.type != .system {
        target.swiftSettings = (target.swiftSettings ?? []) + [.define("SALVOR_SANITIZE")]
    }
}
