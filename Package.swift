// swift-tools-version: 6.2
import PackageDescription

let package = Package(
    name: "sgmse",
    products: [.executable(name: "sgmse", targets: ["sgmse"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/groue/GRDB.swift", from: "7.10.0"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // C: vector kernels, and the system's libraries.
        .target(name: "CKernels", cSettings: [.unsafeFlags(["-O3", "-fno-math-errno"])]),
        .systemLibrary(name: "CDevice"),
        .systemLibrary(name: "CFFTW", pkgConfig: "fftw3", providers: [.apt(["libfftw3-dev"])]),
        .systemLibrary(name: "CSndFile", pkgConfig: "sndfile", providers: [.apt(["libsndfile1-dev"])]),
        .systemLibrary(name: "CSoxr", pkgConfig: "soxr", providers: [.apt(["libsoxr-dev"])]),
        .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
        .systemLibrary(name: "CEBUR128", pkgConfig: "libebur128", providers: [.apt(["libebur128-dev"])]),
        .systemLibrary(name: "CSignals"),
        .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
        .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
        .target(
            name: "Kernels", dependencies: ["Failures", "CKernels", "CDevice", "CFFTW"]),

        // Science: tensors and networks, diffusion, audio and metrics.
        .target(name: "Tensors", dependencies: ["Kernels"]),
        .target(name: "Layers", dependencies: ["Tensors"]),
        .target(name: "Backbones", dependencies: ["Failures", "Layers"]),
        .target(name: "Diffusion", dependencies: ["Tensors"]),
        .target(
            name: "Audio",
            dependencies: ["SystemCalls", "Failures", "AtomicFiles", "Kernels", "CSndFile", "CSoxr", "CEBUR128"]),
        .target(name: "SpeechMetrics", dependencies: ["Failures", "Kernels", "Audio"]),
        .target(name: "Parallelism", dependencies: ["Failures", "Kernels"]),
        .target(
            name: "Corpora",
            dependencies: ["SystemCalls", "Failures", "AtomicFiles", "Kernels", "Audio", "Parallelism", "Digests"]),
        .target(name: "Objectives", dependencies: ["Failures", "Diffusion", "SpeechMetrics", "Tensors"]),

        // Files: written whole or not at all; weights and arrays, specs, the store.
        .target(name: "Failures"),
        .target(name: "SystemCalls", dependencies: ["CSignals"]),
        .target(name: "AtomicFiles", dependencies: ["Failures", "SystemCalls"]),
        .target(name: "Zlib", dependencies: ["CZlib"]),
        .target(name: "WeightFiles", dependencies: ["SystemCalls", "Failures", "AtomicFiles", "Zlib"]),
        .target(name: "JSONValues"),
        .target(name: "YAML", dependencies: ["CYAML"]),
        .target(name: "Digests", dependencies: ["CCrypto"]),
        .target(
            name: "SpecLanguage",
            dependencies: ["Failures", "Digests", "JSONValues", "YAML"]),
        .target(
            name: "CorpusRecipes",
            dependencies: [
                "SystemCalls", "AtomicFiles", "Audio", "Corpora", "Kernels", "Parallelism", "SpecLanguage",
                "WeightFiles",
            ],
            resources: [.embedInCode("Recipes")]),
        .target(name: "Specs", dependencies: ["Digests", "SpecLanguage"]),
        .target(name: "ReferenceCommands", dependencies: ["Specs", "SpecLanguage"]),
        .target(
            name: "Runs",
            dependencies: [
                "Digests", "SystemCalls", "Failures", "AtomicFiles", .product(name: "GRDB", package: "GRDB.swift"),
            ]),
        .target(name: "Statistics"),
        // Which program this is, and where its own files lie.
        .target(name: "CBuildStamp"),
        .target(name: "Installation", dependencies: ["CBuildStamp"]),
        .target(name: "Reported", dependencies: ["SpecLanguage"]),
        .target(
            name: "Reports",
            dependencies: [
                "SystemCalls", "Failures", "JSONValues", "AtomicFiles", "Zlib", "Runs", "Reported", "Statistics",
                "Parallelism",
                "Audio", "Kernels",
            ]),
        .target(
            name: "Investigations",
            dependencies: ["Specs", "SpecLanguage", "Reported", "Reports", "Runs", "Statistics"]),
        .target(
            name: "Imports",
            dependencies: ["SystemCalls", "Failures", "Runs", "Corpora", "SpeechMetrics", "Parallelism", "Audio"]),

        // Where they meet: models built from specs, their weights, their training, and whole experiments.
        .target(
            name: "Models",
            dependencies: [
                "SystemCalls", "Failures", "Specs", "SpecLanguage", "Objectives", "Backbones", "Corpora", "Parallelism",
            ]),
        .target(
            name: "Checkpoints",
            dependencies: [
                "SystemCalls", "Failures", "AtomicFiles", "Models", "ReferenceCommands", "Runs", "WeightFiles",
            ]),
        .target(name: "CCollective", cSettings: [.unsafeFlags(["-O3"])]),
        .target(name: "Collectives", dependencies: ["Failures", "CCollective"]),
        .target(
            name: "Training",
            dependencies: [
                "SystemCalls", "Failures", "Digests", "Models", "Checkpoints", "Runs", "Collectives", "Installation",
            ]),
        .target(
            name: "Enhancement",
            dependencies: [
                "SystemCalls", "Failures", "AtomicFiles", "Audio", "Corpora", "Models", "Parallelism", "SpeechMetrics",
            ]),
        .target(
            name: "Gates",
            dependencies: [
                "Failures", "Audio", "Corpora", "Models", "Runs", "SpecLanguage", "Specs", "SpeechMetrics", "Training",
            ]),
        .target(
            name: "Progress",
            dependencies: ["SystemCalls", "Training", .product(name: "Logging", package: "swift-log")]),
        .target(
            name: "Experiments",
            dependencies: [
                "SystemCalls", "Failures", "Gates", "AtomicFiles", "Collectives", "Training", "Models", "Checkpoints",
                "Specs", "Runs", "Progress",
            ]),
        .target(name: "Diagnostics", dependencies: ["SystemCalls", "Failures", "Experiments"]),
        // Processes elsewhere: a queue of units as files, and the engines that start tasks.
        .target(
            name: "Launchers",
            dependencies: [
                "SystemCalls", "Failures", "AtomicFiles", "Digests", "SpecLanguage",
                .product(name: "Logging", package: "swift-log"),
            ]),

        // What a person runs.
        .target(
            name: "Commands",
            dependencies: [
                "SystemCalls", "Failures", "AtomicFiles", "Collectives", "CorpusRecipes", "Enhancement", "Experiments",
                "Diagnostics",
                "ReferenceCommands", "Reports",
                "Reported", "Investigations", "Imports", "SpeechMetrics", "Installation", "Launchers",
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "Logging", package: "swift-log"),
            ]),
        .executableTarget(name: "sgmse", dependencies: ["Commands"]),

        .testTarget(name: "FailuresTests", dependencies: ["Failures"]),
        .testTarget(name: "SystemCallsTests", dependencies: ["SystemCalls", "TestFolders"]),
        .testTarget(name: "AtomicFilesTests", dependencies: ["AtomicFiles", "TestFolders"]),
        .testTarget(name: "DigestsTests", dependencies: ["Digests"]),
        .testTarget(name: "ZlibTests", dependencies: ["Zlib"]),
        .testTarget(name: "YAMLTests", dependencies: ["YAML"]),
        .testTarget(name: "KernelsTests", dependencies: ["Kernels"]),
        .testTarget(
            name: "DeviceTests",
            dependencies: [
                "Training", "Models", "SpecLanguage", "Checkpoints", "Backbones", "Objectives", "Diffusion", "Tensors",
                "Kernels",
            ]),
        .testTarget(
            name: "CollectivesTests",
            dependencies: [
                "Collectives", "Training", "Models", "Backbones", "Objectives", "Diffusion", "Tensors", "Kernels",
            ]),
        .testTarget(name: "TensorsTests", dependencies: ["Tensors"]),
        .testTarget(name: "LayersTests", dependencies: ["Layers"]),
        .testTarget(
            name: "BackbonesTests", dependencies: ["Backbones", "WeightFiles"], resources: [.copy("Fixtures")]),
        .testTarget(name: "DiffusionTests", dependencies: ["Diffusion", "Models"], resources: [.copy("Fixtures")]),
        .testTarget(
            name: "ObjectivesTests", dependencies: ["Objectives", "Kernels", "WeightFiles"],
            resources: [.copy("Fixtures")]),
        .testTarget(name: "AudioTests", dependencies: ["Audio", "TestFolders"], resources: [.copy("Fixtures")]),
        .testTarget(name: "SpeechMetricsTests", dependencies: ["SpeechMetrics"], resources: [.copy("Fixtures")]),
        .testTarget(name: "CorporaTests", dependencies: ["Corpora", "TestFolders"]),
        .testTarget(name: "CorpusRecipesTests", dependencies: ["CorpusRecipes", "SystemCalls", "TestFolders"]),
        .testTarget(
            name: "WeightFilesTests", dependencies: ["WeightFiles", "SpecSamples", "TestFolders"],
            resources: [.copy("Fixtures")]),
        .target(name: "SpecSamples", dependencies: ["Specs", "SpecLanguage"], path: "Tests/SpecSamples"),
        .testTarget(name: "SpecLanguageTests", dependencies: ["SpecSamples", "Specs", "SpecLanguage"]),
        .testTarget(name: "SpecsTests", dependencies: ["SpecSamples", "Specs", "SpecLanguage"]),
        .testTarget(
            name: "ReferenceCommandsTests",
            dependencies: ["SpecSamples", "ReferenceCommands", "Specs", "SpecLanguage"]),
        .testTarget(name: "StatisticsTests", dependencies: ["Statistics"], resources: [.copy("Fixtures")]),
        .testTarget(
            name: "InvestigationsTests", dependencies: ["Investigations", "Runs", "StoreSamples", "TestFolders"]),
        .testTarget(name: "ImportsTests", dependencies: ["Imports", "Reports", "Audio", "TestFolders"]),
        .testTarget(name: "ReportedTests", dependencies: ["Reported", "SpecLanguage"]),
        .target(name: "TestFolders", path: "Tests/TestFolders"),
        .target(name: "StoreSamples", dependencies: ["Runs"], path: "Tests/StoreSamples"),
        .testTarget(
            name: "RunsTests",
            dependencies: ["AtomicFiles", "Runs", "Digests", "Reports", "StoreSamples", "TestFolders"]),
        .testTarget(
            name: "ReportsTests", dependencies: ["Audio", "Reported", "Reports", "StoreSamples", "TestFolders"],
            exclude: ["Goldens"]),
        .testTarget(
            name: "ExperimentsTests",
            dependencies: [
                "StoreSamples", "Enhancement", "Experiments", "Diagnostics", "Kernels", "WeightFiles",
                .product(name: "Logging", package: "swift-log"), "TestFolders",
            ],
            resources: [.copy("Fixtures")]),
        .testTarget(name: "InstallationTests", dependencies: ["Installation"]),
        .testTarget(name: "LaunchersTests", dependencies: ["Launchers", "SpecLanguage", "TestFolders"]),
        .testTarget(
            name: "CommandsTests",
            dependencies: ["Commands", "Installation", "Runs", "StoreSamples", "SystemCalls", "TestFolders"]),
    ]
)

// An existential is written `any P`; a file imports every module whose members it uses, and says `public import` where
// its public declarations use a type of the module. What is not checked for memory safety is marked `unsafe`.
for target in package.targets where [.regular, .executable, .test].contains(target.type) {
    target.swiftSettings =
        (target.swiftSettings ?? []) + [
            .enableUpcomingFeature("ExistentialAny"), .enableUpcomingFeature("MemberImportVisibility"),
            .enableUpcomingFeature("InternalImportsByDefault"), .strictMemorySafety(),
        ]
}

// What goes through many numbers is optimised. What reads and writes options and small files, and the tests that leave
// the arithmetic to the program, are not: an optimiser would take half of their build, and `sgmse --help` takes 0.02 s
// either way.
let options: Set = ["Commands", "ReferenceCommands", "Launchers", "Reported"]
let arithmetic: Set = [
    "KernelsTests", "TensorsTests", "LayersTests", "DiffusionTests", "ObjectivesTests", "SpeechMetricsTests",
    "StatisticsTests", "DigestsTests", "ZlibTests",
]
for target in package.targets
where options.contains(target.name) || target.type == .test && !arithmetic.contains(target.name) {
    target.swiftSettings = (target.swiftSettings ?? []) + [.unsafeFlags(["-Onone"], .when(configuration: .release))]
}
