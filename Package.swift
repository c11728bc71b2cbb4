// swift-tools-version: 6.2
import PackageDescription

// The arrows between the modules, which the compiler keeps:
//
//   payment-service ---> Gateway ---.
//   inventory-service --------------+--> Shared --> CCurl (libcurl), CPostgres (libpq, with the trait Postgres)
//   notification-service -----------'      ^
//                                          |
//   scenario-runner --> {Verdict, Sandbox, Cluster, Load} --> Experiments --> Shared
//
// Sandbox (one Linux machine) and Cluster (Kubernetes) never see each other: both implement the
// `ChaosEngine` that Experiments declares. Verdict knows no engine, only measurements.

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .treatAllWarnings(as: .error),
]

/// What every server needs beside `Shared`.
let server: [Target.Dependency] = [
    "Shared",
    .product(name: "Hummingbird", package: "hummingbird"),
    .product(name: "Logging", package: "swift-log"),
    .product(name: "Metrics", package: "swift-metrics"),
    .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
]

let httpTypes = Target.Dependency.product(name: "HTTPTypes", package: "swift-http-types")

/// Each service answers its own `GET /openapi.yaml`, from a copy inside the binary.
let openAPI: [Resource] = [.embedInCode("openapi.yaml")]

let package = Package(
    name: "payment-chaos",
    products: [
        .executable(name: "payment-service", targets: ["PaymentService"]),
        .executable(name: "inventory-service", targets: ["InventoryService"]),
        .executable(name: "notification-service", targets: ["NotificationService"]),
        .executable(name: "scenario-runner", targets: ["ScenarioRunner"]),
    ],
    traits: [
        .trait(name: "Postgres", description: "Stores in PostgreSQL beside those in SQLite; needs libpq-dev.")
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-async-algorithms.git", from: "1.1.4"),
        .package(url: "https://github.com/apple/swift-collections.git", from: "1.6.0"),
        .package(url: "https://github.com/apple/swift-configuration.git", from: "1.4.0", traits: []),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-metrics.git", from: "2.13.0"),
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-system.git", from: "1.8.1"),
        .package(url: "https://github.com/groue/GRDB.swift.git", from: "7.10.0"),
        .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift.git", from: "0.2.0"),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/swiftlang/swift-subprocess.git", from: "1.0.2"),
    ],
    targets: [
        // MARK: Shared
        .target(name: "CCurl", path: "Shared/CCurl", linkerSettings: [.linkedLibrary("curl")]),
        .systemLibrary(
            name: "CPostgres", path: "Shared/CPostgres", pkgConfig: "libpq", providers: [.apt(["libpq-dev"])]),
        .target(
            name: "Shared",
            dependencies: [
                "CCurl",
                .target(name: "CPostgres", condition: .when(traits: ["Postgres"])),
                .product(name: "Configuration", package: "swift-configuration"),
                .product(name: "CoreMetrics", package: "swift-metrics"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "GRDBSQLite", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "Shared", exclude: ["CCurl", "CPostgres"]),

        // MARK: Services
        .target(name: "Gateway", dependencies: ["Shared"], path: "Services/Gateway"),
        .executableTarget(
            name: "PaymentService", dependencies: server + ["Gateway", httpTypes], path: "Services/Payment",
            resources: openAPI),
        .executableTarget(
            name: "InventoryService", dependencies: server + [httpTypes], path: "Services/Inventory", resources: openAPI
        ),
        .executableTarget(
            name: "NotificationService", dependencies: server + [httpTypes], path: "Services/Notification",
            resources: openAPI),

        // MARK: Scenario runner
        .target(
            name: "Experiments",
            dependencies: ["Shared", .product(name: "Yams", package: "Yams")],
            path: "ScenarioRunner/Experiments"),
        .target(
            name: "Sandbox",
            dependencies: [
                "Experiments", "Shared",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HeapModule", package: "swift-collections"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ],
            path: "ScenarioRunner/Sandbox"),
        .target(
            name: "Cluster",
            dependencies: [
                "Experiments", "Shared", httpTypes,
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Yams", package: "Yams"),
            ],
            path: "ScenarioRunner/Cluster"),
        .target(
            name: "Load",
            dependencies: [
                "Experiments", "Shared",
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            path: "ScenarioRunner/Load"),
        .target(
            name: "Verdict",
            dependencies: [
                "Experiments", "Shared",
                .product(name: "Crypto", package: "swift-crypto"),
                .product(name: "Histogram", package: "hdrhistogram-swift"),
            ],
            path: "ScenarioRunner/Verdict"),
        .executableTarget(
            name: "ScenarioRunner",
            dependencies: server + [
                "Cluster", "Experiments", "Load", "Sandbox", "Verdict",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "AsyncAlgorithms", package: "swift-async-algorithms"),
                .product(name: "DequeModule", package: "swift-collections"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "ScenarioRunner/App",
            resources: [
                .copy("Public"), .embedInCode("openapi.yaml"), .embedInCode("Locust/locust_stream.py"),
            ]),

        // MARK: Tests
        .target(
            name: "TestSupport",
            dependencies: [
                "Shared",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Tests/Support"),
        .testTarget(
            name: "SharedTests",
            dependencies: [
                "ServiceTesting", "Shared", "TestSupport",
                .product(name: "GRDB", package: "GRDB.swift"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Metrics", package: "swift-metrics"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
            ],
            path: "Tests/Shared"),
        .target(
            name: "ServiceTesting",
            dependencies: [
                "Shared", "TestSupport", httpTypes,
                .product(name: "Logging", package: "swift-log"),
                .product(name: "NIOCore", package: "swift-nio"),
                .product(name: "NIOPosix", package: "swift-nio"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Yams", package: "Yams"),
            ],
            path: "Tests/ServiceTesting"),
        .testTarget(
            name: "GatewayTests", dependencies: ["Gateway", "ServiceTesting", "TestSupport", "Shared"],
            path: "Tests/Gateway"),
        .testTarget(
            name: "PaymentTests",
            dependencies: server + [
                "Gateway", "InventoryService", "NotificationService", "PaymentService", "ScenarioRunner",
                "ServiceTesting", "TestSupport", "Verdict", httpTypes,
            ],
            path: "Tests/Payment"),
        .testTarget(
            name: "InventoryTests",
            dependencies: server + ["InventoryService", "ServiceTesting", "TestSupport", httpTypes],
            path: "Tests/Inventory"),
        .testTarget(
            name: "NotificationTests",
            dependencies: server + ["NotificationService", "ServiceTesting", "TestSupport", httpTypes],
            path: "Tests/Notification"),
        .testTarget(
            name: "ExperimentsTests",
            dependencies: ["Experiments", "Shared", .product(name: "Yams", package: "Yams")],
            path: "Tests/Experiments"),
        .testTarget(
            name: "SandboxTests",
            dependencies: [
                "Experiments", "Sandbox", "Shared", "TestSupport",
                .product(name: "Logging", package: "swift-log"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/Sandbox"),
        .testTarget(
            name: "ClusterTests",
            dependencies: [
                "Cluster", "Experiments", "Shared", "TestSupport", httpTypes,
                .product(name: "Logging", package: "swift-log"),
                .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/Cluster", exclude: ["stand-in"]),
        .testTarget(
            name: "DeploymentTests",
            dependencies: [
                "Cluster", "Experiments", "Sandbox", "Shared",
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
                .product(name: "Yams", package: "Yams"),
            ],
            path: "Tests/Deployment", exclude: ["Schemas"]),
        .testTarget(
            name: "LoadTests",
            dependencies: [
                "Experiments", "Load", "Shared", "TestSupport",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Hummingbird", package: "hummingbird"),
            ],
            path: "Tests/Load"),
        .testTarget(
            name: "VerdictTests",
            dependencies: [
                "Experiments", "ServiceTesting", "Shared", "Verdict",
                .product(name: "Crypto", package: "swift-crypto"),
            ],
            path: "Tests/Verdict"),
        .testTarget(
            name: "ScenarioRunnerTests",
            dependencies: server + [
                "Cluster", "Experiments", "Load", "Sandbox", "ScenarioRunner", "ServiceTesting", "TestSupport",
                "Verdict",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "NIOCore", package: "swift-nio"),
            ],
            path: "Tests/ScenarioRunner"),
        .testTarget(
            name: "EndToEndTests",
            dependencies: [
                "Experiments", "Sandbox", "ScenarioRunner", "ServiceTesting", "Shared", "TestSupport", "Verdict",
                .product(name: "HTTPTypes", package: "swift-http-types"),
                .product(name: "Subprocess", package: "swift-subprocess"),
                .product(name: "SystemPackage", package: "swift-system"),
            ],
            path: "Tests/EndToEnd"),
        .testTarget(name: "TidyTests", path: "Tests/Tidy"),
    ]
)

for target in package.targets where !["CCurl", "CPostgres"].contains(target.name) { target.swiftSettings = strict }
