public import Foundation

/// Runs a shell script in which `vdsq` and `vdsq-run`, and `$vdsq` and `$run`, are the programs of
/// this build.
public enum Shell {
  public static func run(
    _ script: String, in folder: URL, arguments: [String] = []
  ) throws -> Program.Result {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments = ["-c", script, "test"] + arguments
    process.currentDirectoryURL = folder
    let environment = ProcessInfo.processInfo.environment
    process.environment = environment.merging([
      "PATH": "\(Fixtures.products.path):\(environment["PATH"] ?? "/usr/bin:/bin")",
      "vdsq": Fixtures.products.appendingPathComponent("vdsq").path,
      "run": Fixtures.products.appendingPathComponent("vdsq-run").path,
    ]) { $1 }
    let scratch = try TemporaryFolder()
    for name in ["out", "err"] { _ = try scratch.write(Data(), to: name) }
    process.standardInput = FileHandle.nullDevice
    process.standardOutput = FileHandle(forWritingAtPath: scratch.path("out"))
    process.standardError = FileHandle(forWritingAtPath: scratch.path("err"))
    try process.run()
    process.waitUntilExit()
    func text(_ name: String) throws -> String {
      String(
        decoding: try Data(contentsOf: scratch.url.appendingPathComponent(name)), as: UTF8.self)
    }
    return Program.Result(
      status: process.terminationReason == .exit
        ? process.terminationStatus : 128 + process.terminationStatus,
      output: try text("out"), errors: try text("err"))
  }
}
