public import Foundation

/// Runs a shell script in which `vdsq` and `vdsq-run`, and `$vdsq` and `$run`, are the programs of
/// this build.
public enum Shell {
  public static func run(
    _ script: String, in folder: URL, arguments: [String] = []
  ) throws -> Program.Result {
    let environment = ProcessInfo.processInfo.environment
    return try Program.run(
      URL(fileURLWithPath: "/bin/bash"), ["-c", script, "test"] + arguments, input: Data(),
      environment: environment.merging([
        "PATH": "\(Fixtures.products.path):\(environment["PATH"] ?? "/usr/bin:/bin")",
        "vdsq": Fixtures.products.appendingPathComponent("vdsq").path,
        "run": Fixtures.products.appendingPathComponent("vdsq-run").path,
      ]) { $1 }, folder: folder)
  }
}
