// swift-tools-version: 6.2
import PackageDescription

// Programs of a few lines over the libraries of vdsq. In a package of your own, depend on vdsq by a
// path, as here: its kernels are built with flags that SwiftPM allows in local packages only.
let vdsq = Target.Dependency.product(name: "VDSQ", package: "vdsq")
let conversion = Target.Dependency.product(name: "VDSQConversion", package: "vdsq")
let training = Target.Dependency.product(name: "VDSQTraining", package: "vdsq")

let package = Package(
  name: "Examples",
  dependencies: [.package(name: "vdsq", path: "..")],
  targets: [
    .executableTarget(name: "convert", dependencies: [conversion]),
    .executableTarget(name: "classify", dependencies: [vdsq]),
    .executableTarget(name: "embed", dependencies: [vdsq]),
    .executableTarget(name: "adapt", dependencies: [vdsq, training]),
  ]
)
