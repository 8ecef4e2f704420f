public import Foundation

/// Runs one of this build's programs as a user would.
public struct Program: Sendable {
  public struct Result: Sendable {
    public let status: Int32
    public let output: String
    public let errors: String

    public var lines: [String] { output.split(separator: "\n").map(String.init) }
  }

  private let url: URL

  public init(_ name: String) { url = Fixtures.products.appendingPathComponent(name) }

  public func run(
    _ arguments: [String], input: Data = Data(), environment: [String: String] = [:],
    folder: URL? = nil
  ) throws -> Result {
    try Self.run(
      url, arguments, input: input,
      environment: ProcessInfo.processInfo.environment.merging(environment) { $1 }, folder: folder)
  }

  /// Runs any program.
  static func run(
    _ url: URL, _ arguments: [String], input: Data, environment: [String: String], folder: URL?
  ) throws -> Result {
    let process = Process()
    process.executableURL = url
    process.arguments = arguments
    process.currentDirectoryURL = folder
    process.environment = environment
    // Files rather than pipes, so that nobody has to read while the program writes.
    let scratch = try TemporaryFolder()
    let inputPath = try scratch.write(input, to: "in")
    for name in ["out", "err"] { _ = try scratch.write(Data(), to: name) }
    process.standardInput = FileHandle(forReadingAtPath: inputPath)
    process.standardOutput = FileHandle(forWritingAtPath: scratch.path("out"))
    process.standardError = FileHandle(forWritingAtPath: scratch.path("err"))
    try process.run()
    process.waitUntilExit()
    func text(_ name: String) throws -> String {
      String(
        decoding: try Data(contentsOf: scratch.url.appendingPathComponent(name)), as: UTF8.self)
    }
    return Result(
      status: process.terminationReason == .exit
        ? process.terminationStatus : 128 + process.terminationStatus,
      output: try text("out"), errors: try text("err"))
  }

  public func run(_ arguments: [String], input: String) throws -> Result {
    try run(arguments, input: Data(input.utf8))
  }
}
