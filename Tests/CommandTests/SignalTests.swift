import Foundation
import TestSupport
import Testing

/// Signals to programs that wait for input, and files that are replaced under them.
@Suite struct SignalTests {
  private let folder: TemporaryFolder
  private let model: String

  init() throws {
    folder = try TemporaryFolder()
    model = folder.path("m.vdsq")
    _ = try Program("vdsq").run(["convert", Fixtures.path("bert-mean"), "-o", model, "-q"])
  }

  /// A running classifier.
  private final class Running {
    let process = Process()
    private let input = Pipe(), output = Pipe(), errors = Pipe()

    init(_ program: String, _ arguments: [String]) throws {
      process.executableURL = Fixtures.products.appendingPathComponent(program)
      process.arguments = (program == "vdsq" ? ["classify"] : []) + arguments
      (process.standardInput, process.standardOutput) = (input, output)
      process.standardError = errors
      try process.run()
    }

    func send(_ text: String) throws {
      try input.fileHandleForWriting.write(contentsOf: Data(text.utf8))
    }

    func read() -> String {
      String(decoding: output.fileHandleForReading.availableData, as: UTF8.self)
    }

    func ask(_ text: String) throws -> String {
      try send(text + "\n")
      return read()
    }

    func signal(_ number: Int32) { kill(process.processIdentifier, number) }

    /// What is left of both outputs, once the process has ended.
    func end() -> (output: String, errors: String) {
      let rest = output.fileHandleForReading.readDataToEndOfFile()
      let told = errors.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return (String(decoding: rest, as: UTF8.self), String(decoding: told, as: UTF8.self))
    }

    func close() throws { try input.fileHandleForWriting.close() }
  }

  /// A model that becomes shorter ends the program with an error that names it, and not by a signal:
  /// by whole pages, which cannot be touched any more, or within the last page, which then has zeros.
  @Test(
    arguments: ["vdsq", "vdsq-run"],
    [("resident", 4096), ("release", 4096), ("stream", 4096), ("resident", -1), ("stream", -1)])
  func aModelThatBecomesShorter(_ program: String, _ cut: (policy: String, length: Int)) throws {
    let running = try Running(
      program, [model, "--labels", "hello,stop", "--memory-policy", cut.policy])
    #expect(try running.ask("hello").hasPrefix("hello\t"))
    let file = try FileHandle(forWritingTo: URL(filePath: model))
    let length = Int(try file.seekToEnd())
    try file.truncate(atOffset: UInt64(cut.length > 0 ? cut.length : length - 1))
    try running.send("stop\n")
    let (output, errors) = running.end()
    #expect(output.isEmpty)
    #expect(errors.hasPrefix("\(program): \(model): "), "\(errors)")
    #expect(errors.split(separator: "\n").count == 1, "\(errors)")
    #expect(
      running.process.terminationReason == .exit && running.process.terminationStatus == 65)
  }

  @Test(arguments: ["vdsq", "vdsq-run"], [SIGTERM, SIGINT])
  func aStopAnswersWhatWasRead(_ program: String, _ number: Int32) throws {
    let running = try Running(program, [model, "--labels", "hello,stop"])
    #expect(try running.ask("hello").hasPrefix("hello\t"))
    try running.send("stop\nstop\nhel")
    #expect(running.read().hasPrefix("stop\t"))
    Thread.sleep(forTimeInterval: 0.1)
    running.signal(number)
    let (output, errors) = running.end()
    #expect(output.split(separator: "\n").count <= 1)
    #expect(errors == "\(program): stopped by a signal behind line 3\n")
    #expect(running.process.terminationReason == .uncaughtSignal)
    #expect(running.process.terminationStatus == number)
  }

  /// Labels are read again at a signal, and when the file changes.
  @Test(arguments: ["vdsq", "vdsq-run"])
  func labelsAreReadAgain(_ program: String) throws {
    let labels = try folder.write(Data("hello\nstop\n".utf8), to: "labels")
    let running = try Running(program, [model, "--labels-file", labels])
    #expect(try running.ask("hello").hasPrefix("hello\t"))
    _ = try folder.write(Data("greeting=hello\nstop\n".utf8), to: "labels")
    running.signal(SIGHUP)
    Thread.sleep(forTimeInterval: 0.05)
    #expect(try running.ask("hello").hasPrefix("greeting\t"))
    _ = try folder.write(Data("broken=\n".utf8), to: "labels")
    for _ in 0..<3 { #expect(try running.ask("hello").hasPrefix("greeting\t")) }
    running.signal(SIGHUP)
    #expect(try running.ask("hello").hasPrefix("greeting\t"))
    try running.close()
    let (_, errors) = running.end()
    #expect(running.process.terminationStatus == 0)
    #expect(errors.split(separator: "\n").count == 1 && errors.contains("line 1"), "\(errors)")
  }
}
