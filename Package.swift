// swift-tools-version: 6.2
import PackageDescription

// The runtime core stays inside the Embedded Swift subset. With VDSQ_EMBEDDED=1 the same targets
// are built in Embedded mode (see Tools/build-embedded), so that leaving the subset fails the
// build.
let embedded = Context.environment["VDSQ_EMBEDDED"] == "1"

// With VDSQ_FUZZ=1 the readers of files are built for libFuzzer and AddressSanitizer (see
// Tools/fuzz).
let fuzzing = Context.environment["VDSQ_FUZZ"] == "1"
let fuzzSettings: [SwiftSetting] =
  fuzzing ? [.unsafeFlags(["-sanitize=fuzzer,address"])] : []

let coreSettings: [SwiftSetting] =
  embedded
  ? [
    .enableExperimentalFeature("Embedded"),
    .unsafeFlags(["-wmo", "-Osize", "-Xfrontend", "-function-sections"]),
  ] : fuzzSettings

/// The Swift runtime is linked into the programs: one file, and half the memory. The linker
/// settings do this rather than `--static-swift-stdlib`, which would compile everything once for
/// programs and once more for tests. The runtime asks to export every symbol, which nothing needs.
func staticRuntime(_ libraries: [String] = []) -> [LinkerSetting] {
  [
    .unsafeFlags(
      ["-static-stdlib", "-Xlinker", "--no-export-dynamic"] + libraries.map { "-l\($0)" },
      .when(platforms: [.linux], configuration: .release))
  ]
}

/// Kernels are always optimised, because unoptimised SIMD generics are not inlined into the target
/// of their instruction set. They work on pointers that their callers have checked, so overflow
/// traps in their index arithmetic would only cost time.
func isaSettings(_ clangFlags: [String]) -> [SwiftSetting] {
  (embedded ? coreSettings : []) + [
    .unsafeFlags(["-Ounchecked"] + clangFlags.flatMap { ["-Xcc", $0] })
  ]
}

#if arch(x86_64)
  let machine = "x86_64"
#else
  let machine = "aarch64"
#endif
/// The CPU to build for: that of this machine, unless a cross build names it (see
/// Tools/build-aarch64).
let cpu = Context.environment["VDSQ_CPU"] ?? machine
let avx2Flags = cpu == "x86_64" ? ["-march=x86-64-v3"] : []
let avx512Flags = cpu == "x86_64" ? ["-march=x86-64-v4", "-mavx512vnni"] : []
// Scheduled for in-order CPUs, because the others put instructions in order themselves.
let baselineFlags = cpu == "x86_64" ? [] : ["-mtune=cortex-a55"]
let dotprodFlags = cpu == "x86_64" ? [] : baselineFlags + ["-march=armv8.2-a+dotprod"]
let i8mmFlags = cpu == "x86_64" ? [] : baselineFlags + ["-march=armv8.2-a+dotprod+i8mm"]

let core: [Target] = [
  // C glue: portable vector operations, intrinsics by ISA, libc calls Swift can't import.
  .target(name: "CShims", linkerSettings: [.linkedLibrary("m")]),
  // Generic kernels over `VectorISA`, the baseline table, and the scalar reference that defines
  // each.
  .target(name: "VDSQKernels", dependencies: ["CShims"], swiftSettings: isaSettings(baselineFlags)),
  // The kernels specialised for AVX2 + FMA + F16C.
  .target(
    name: "VDSQKernelsAVX2", dependencies: ["VDSQKernels"], swiftSettings: isaSettings(avx2Flags)),
  // The kernels specialised for AVX-512 with VNNI.
  .target(
    name: "VDSQKernelsAVX512", dependencies: ["VDSQKernels"],
    swiftSettings: isaSettings(avx512Flags)),
  // The kernels specialised for aarch64 NEON with dot products.
  .target(
    name: "VDSQKernelsDotProd", dependencies: ["VDSQKernels"],
    swiftSettings: isaSettings(dotprodFlags)),
  // The kernels specialised for aarch64 NEON with int8 matrix multiplication.
  .target(
    name: "VDSQKernelsI8MM", dependencies: ["VDSQKernels"], swiftSettings: isaSettings(i8mmFlags)),
  // The .vdsq container: layout, checksums, validated zero-copy reader.
  .target(name: "VDSQFormat", dependencies: ["CShims"], swiftSettings: coreSettings),
  // Lines in, output and JSON out, in constant memory.
  .target(
    name: "VDSQStreams", dependencies: ["CShims", "VDSQFormat"], swiftSettings: coreSettings),
  // Text to token ids, over tables stored in the container.
  .target(name: "VDSQTokenizers", dependencies: ["VDSQFormat"], swiftSettings: coreSettings),
  // Memory plan, arena, threads, the encoder's and the decoder's forward pass.
  .target(
    name: "VDSQInference",
    dependencies: [
      "VDSQKernels", "VDSQKernelsAVX2", "VDSQKernelsAVX512", "VDSQKernelsDotProd",
      "VDSQKernelsI8MM", "VDSQFormat", "VDSQStreams", "VDSQTokenizers",
    ],
    swiftSettings: coreSettings),
  // Bases, cosine logits over label sets and vocabularies, gradients, the lens, adapters, the
  // classifier.
  .target(
    name: "VDSQSemantics", dependencies: ["VDSQInference"], swiftSettings: coreSettings),
  // The facade: classifiers and embedders over one mapped model, memory plans, streams of texts.
  .target(
    name: "VDSQ", dependencies: ["VDSQSemantics", "VDSQStreams"], swiftSettings: coreSettings),
  // The smallest program: classifies stdin, line by line.
  .executableTarget(
    name: "vdsq-run", dependencies: ["VDSQ"], swiftSettings: coreSettings,
    linkerSettings: embedded ? embeddedLinkerSettings() : staticRuntime()),
  // Checks of every kernel against the scalar reference, for test frameworks and emulators.
  .target(
    name: "KernelChecks", dependencies: ["VDSQKernels"], path: "Tests/KernelChecks",
    swiftSettings: coreSettings),
  // Runs the checks without a test framework.
  .executableTarget(
    name: "kernel-check", dependencies: ["KernelChecks", "VDSQInference"],
    path: "Tests/kernel-check", swiftSettings: coreSettings,
    linkerSettings: embedded ? embeddedLinkerSettings() : []),
]

/// Embedded Swift on Linux has its Unicode tables in a separate archive.
func embeddedLinkerSettings() -> [LinkerSetting] {
  let tables = Context.environment["VDSQ_UNICODE_TABLES"] ?? "libswiftUnicodeDataTables.a"
  // Static and without unused code: a shared C library alone would take a megabyte of the process.
  return [.unsafeFlags([tables, "-Xlinker", "--gc-sections", "-Xclang-linker", "-static"])]
}

let tools: [Target] = [
  // Debian's libnettle by its header: SHA-256.
  .systemLibrary(name: "CNettle", providers: [.apt(["nettle-dev"])]),
  // Debian's liblz4 by its headers: the compressor.
  .systemLibrary(name: "CLZ4", providers: [.apt(["liblz4-dev"])]),
  // Debian's OpenBLAS by its headers, loaded late: never linked.
  .systemLibrary(name: "COpenBLAS", providers: [.apt(["libopenblas-dev", "liblapacke-dev"])]),
  // Writes files completely or not at all: .vdsq containers, NumPy arrays; provenance and digests.
  .target(
    name: "VDSQFiles",
    dependencies: ["VDSQFormat", "VDSQStreams", "CNettle", "CLZ4"],
    swiftSettings: fuzzSettings,
    linkerSettings: [.linkedLibrary(":libnettle.a"), .linkedLibrary(":liblz4.a")]),
  // Readers of foreign formats: JSON, safetensors, PyTorch, GGUF, llama2.c, NumPy.
  .target(
    name: "VDSQCheckpoints",
    dependencies: ["VDSQFormat", .product(name: "SystemPackage", package: "swift-system")],
    swiftSettings: fuzzSettings),
  // Architecture maps, tokenizer compilers, quantizers, the bases' solver; whole conversions.
  .target(
    name: "VDSQConversion",
    dependencies: [
      "VDSQCheckpoints", "VDSQFormat", "VDSQTokenizers", "VDSQInference", "VDSQFiles", "COpenBLAS",
    ], swiftSettings: fuzzSettings),
  // Few-shot methods, finetuning, online learning, evaluation; labelled texts; regions, directions,
  // repairs, task spaces and verbalized learning.
  .target(
    name: "VDSQTraining",
    dependencies: ["VDSQ", "VDSQCheckpoints", "VDSQFiles"], swiftSettings: fuzzSettings),
  // Measures kernels, models and starts, and the limits of the machine; memory policies, fidelity,
  // recall.
  .target(
    name: "VDSQMeasurement",
    dependencies: [
      "VDSQ", "VDSQCheckpoints", "VDSQConversion", "VDSQFiles",
      .product(name: "Histogram", package: "hdrhistogram-swift"),
    ]),
  // Reports of commands as text and JSON: tables, pages, charts; progress on the terminal.
  .target(
    name: "VDSQReports",
    dependencies: ["VDSQConversion", "VDSQFiles", "VDSQMeasurement", "VDSQTraining", "VDSQ"]),
  // The command line: parses, calls a library, prints.
  .executableTarget(
    name: "vdsq",
    dependencies: [
      "VDSQCheckpoints", "VDSQConversion", "VDSQFiles", "VDSQTraining", "VDSQMeasurement",
      "VDSQReports", "VDSQ",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
    ],
    // The parts of FoundationEssentials, which swift-argument-parser uses.
    linkerSettings: staticRuntime(["_FoundationCollections", "_FoundationCShims"])),
]

/// Not part of the Embedded and the fuzzing builds, which need none of the packages below.
let server: [Target] = [
  // The server: routes, batches over requests, metrics, the page.
  .target(
    name: "VDSQServer",
    dependencies: [
      "VDSQ", "VDSQCheckpoints", "VDSQConversion", "VDSQFiles", "VDSQTraining",
      .product(name: "NIOCore", package: "swift-nio"),
      .product(name: "NIOPosix", package: "swift-nio"),
      .product(name: "NIOHTTP1", package: "swift-nio"),
      .product(name: "NIOConcurrencyHelpers", package: "swift-nio"),
      .product(name: "NIOSSL", package: "swift-nio-ssl"),
      .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
      .product(name: "UnixSignals", package: "swift-service-lifecycle"),
      .product(name: "Logging", package: "swift-log"),
      .product(name: "CoreMetrics", package: "swift-metrics"),
    ]),
  // The daemon: parses its options, opens models and sockets, runs the server until a signal.
  .executableTarget(
    name: "vdsqd",
    dependencies: [
      "VDSQServer",
      .product(name: "ArgumentParser", package: "swift-argument-parser"),
      .product(name: "Logging", package: "swift-log"),
    ],
    linkerSettings: staticRuntime(["_FoundationCollections", "_FoundationCShims"])),
]

/// Not part of the Embedded and the fuzzing builds.
let interface: [Target] = [
  // SQLite by the header of loadable extensions: never linked.
  .systemLibrary(name: "CSQLite", providers: [.apt(["libsqlite3-dev"])]),
  // Functions and a table function of SQL. Part of libvdsq.so, which SQLite loads.
  .target(name: "VDSQSQLite", dependencies: ["CSQLite", "VDSQ"]),
  // The header of the C interface, and the buffer of a thread's message.
  .target(name: "CVDSQ", cSettings: [.unsafeFlags(["-fPIC"])]),
  // The functions of that header over the libraries. Tools/build-c makes libvdsq.so of them.
  .target(
    name: "VDSQC", dependencies: ["CVDSQ", "VDSQ", "VDSQTraining"], exclude: ["exports.map"],
    linkerSettings: staticRuntime() + [
      .unsafeFlags([
        "-Xlinker", "--version-script=\(Context.packageDirectory)/Sources/VDSQC/exports.map",
        "-Xlinker", "-soname=libvdsq.so.1", "-Xlinker", "--gc-sections",
        // The Swift runtime cannot be unloaded.
        "-Xlinker", "-z", "-Xlinker", "nodelete",
      ])
    ]),
]

let serverPackages: [Package.Dependency] = [
  .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.6"),
  .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
  .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
]

let tests: [Target] = [
  // Counts calls to the C library's allocator.
  .target(name: "AllocationCounter", path: "Tests/AllocationCounter"),
  // Classifies with every allocation counted.
  .executableTarget(
    name: "allocation-check", dependencies: ["AllocationCounter", "VDSQ"],
    path: "Tests/allocation-check"),
  // Fixtures, temporary folders, seeded random numbers, running the programs.
  .target(name: "TestSupport", dependencies: ["KernelChecks"], path: "Tests/TestSupport"),
  .testTarget(name: "VDSQKernelsTests", dependencies: ["KernelChecks", "VDSQInference"]),
  .testTarget(name: "VDSQFormatTests", dependencies: ["TestSupport", "VDSQConversion"]),
  .testTarget(
    name: "VDSQStreamsTests", dependencies: ["TestSupport", "VDSQStreams", "VDSQCheckpoints"]),
  .testTarget(
    name: "VDSQTokenizersTests",
    dependencies: ["TestSupport", "VDSQConversion", "VDSQFiles", "VDSQStreams"]),
  .testTarget(name: "VDSQInferenceTests", dependencies: ["TestSupport", "VDSQConversion"]),
  .testTarget(
    name: "VDSQSemanticsTests",
    dependencies: ["KernelChecks", "TestSupport", "VDSQSemantics", "VDSQConversion"]),
  .testTarget(
    name: "VDSQTests",
    dependencies: ["TestSupport", "VDSQ", "VDSQConversion", "VDSQTraining"]),
  .testTarget(
    name: "VDSQCheckpointsTests",
    dependencies: ["TestSupport", "VDSQCheckpoints", "VDSQConversion"]),
  .testTarget(
    name: "VDSQConversionTests",
    dependencies: ["TestSupport", "VDSQConversion", "VDSQSemantics"]),
  .testTarget(
    name: "VDSQTrainingTests",
    dependencies: ["TestSupport", "VDSQTraining", "VDSQCheckpoints", "VDSQConversion"]),
  .testTarget(
    name: "VDSQMeasurementTests",
    dependencies: ["TestSupport", "VDSQ", "VDSQConversion", "VDSQMeasurement"]),
  .testTarget(
    name: "VDSQReportsTests",
    dependencies: ["TestSupport", "VDSQCheckpoints", "VDSQConversion", "VDSQReports"]),
  .testTarget(
    name: "VDSQServerTests",
    dependencies: [
      "TestSupport", "VDSQServer", "VDSQ", "VDSQConversion",
      .product(name: "CoreMetrics", package: "swift-metrics"),
      .product(name: "Logging", package: "swift-log"),
      .product(name: "NIOHTTP1", package: "swift-nio"),
    ]),
  // Runs the programs, which are built beside the tests. A dependency on them would link the tests
  // statically too.
  .testTarget(name: "CommandTests", dependencies: ["TestSupport"]),
]

let fuzzers: [Target] = [
  // Feeds untrusted bytes to every reader of files.
  .executableTarget(
    name: "fuzz",
    dependencies: [
      "VDSQConversion", "VDSQCheckpoints", "VDSQSemantics", "VDSQStreams", "VDSQTokenizers",
      "VDSQTraining",
    ],
    path: "Tests/Fuzzing", exclude: ["Seeds", "Regressions"], swiftSettings: fuzzSettings,
    linkerSettings: [.unsafeFlags(["-sanitize=fuzzer,address", "-use-ld=lld"])])
]

let package = Package(
  name: "vdsq",
  products: [
    .executable(name: "vdsq-run", targets: ["vdsq-run"]),
    .library(name: "VDSQ", targets: ["VDSQ"]),
  ]
    + (embedded
      ? []
      : [
        .executable(name: "vdsq", targets: ["vdsq"]),
        .library(name: "VDSQConversion", targets: ["VDSQConversion"]),
        .library(name: "VDSQTraining", targets: ["VDSQTraining"]),
      ])
    + (embedded || fuzzing
      ? []
      : [
        .executable(name: "vdsqd", targets: ["vdsqd"]),
        .library(name: "vdsq-c", type: .dynamic, targets: ["VDSQC", "VDSQSQLite"]),
      ]),
  dependencies: embedded
    ? []
    : [
      .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
      .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
      .package(url: "https://github.com/HdrHistogram/hdrhistogram-swift", from: "0.2.0"),
    ] + (fuzzing ? [] : serverPackages),
  targets: embedded
    ? core : fuzzing ? core + tools + fuzzers : core + tools + server + interface + tests
)

// An import is an implementation detail unless it says `package` or `public`.
for target in package.targets where target.type != .system {
  target.swiftSettings =
    (target.swiftSettings ?? []) + [.enableUpcomingFeature("InternalImportsByDefault")]
}

// Targets import what their dependencies depend on, too. SwiftPM compiles a target again only when a
// dependency of its own has changed, and would leave it with old layouts of other targets' types.
for target in package.targets {
  var names: [String] = []
  func visit(_ target: Target) {
    for case .byNameItem(let name, _) in target.dependencies where !names.contains(name) {
      names.append(name)
      package.targets.filter { $0.name == name }.forEach(visit)
    }
  }
  visit(target)
  target.dependencies =
    target.dependencies.filter {
      if case .byNameItem = $0 { false } else { true }
    } + names.map { .byName(name: $0) }
}
