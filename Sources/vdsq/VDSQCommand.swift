import ArgumentParser
import Glibc
import VDSQ
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQReports
import VDSQStreams

@main
struct VDSQCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vdsq",
    abstract: "Runs text encoders and small language models: classification, embeddings, analysis.",
    discussion: """
      convert turns a model's checkpoint into one .vdsq file. classify assigns labels to texts, \
      and embed computes vectors, in a few MB of memory. Results go to standard output, everything \
      else to standard error.

      Exit codes: 64 wrong usage, 65 bad input data, 66 missing input, 70 internal fault, 75 \
      memory budget too small.
      """,
    version: Release.version,
    subcommands: [
      Convert.self, Bases.self, Inspect.self, Classify.self, Rerank.self, Tag.self, Plan.self,
      Adapt.self, Learn.self,
      Embed.self,
      Score.self, Pairs.self, Tasks.self, RepairCommand.self, Generate.self,
      Verbalize.self,
      Logits.self,
      LensCommand.self, TuneLens.self, Direction.self, Bench.self, Verify.self, Diff.self,
      Eval.self, Review.self,
      Categories.self,
      Serve.self,
    ])

  static func main() {
    ProcessStart.openStandardDescriptors()
    ProcessStart.watchMaps(program: "vdsq")
    StandardOutput.checkAtExit()
    // Otherwise the parts of the program that happen to be in the page cache would be resident too:
    // several megabytes that vary, so that no memory plan would hold. Smaller pieces would slow
    // down every start.
    ProcessMemory.releaseCode(piece: 16384)
    let arguments = ProcessStart.arguments
    do throws(VDSQError) {
      _ = try ProcessStart.readArguments()
    } catch { end(error.message, code: error.category.rawValue) }
    do {
      var command = try parseAsRoot(NegativeValues.joined(arguments))
      try command.run()
    } catch {
      let code = exitCode(for: error)
      // Whatever the parser complains of may come from a misspelt name; it helps with any command.
      // Looking for one takes a millisecond, and what runs has none.
      if !(error is ExitCode), !code.isSuccess || arguments.first == "help",
        let misspelling = Misspelling.first(in: arguments)
      {
        end(
          "\(misspelling)\n\(usage(of: misspelling.command))",
          code: VDSQError.Category.usage.rawValue)
      }
      // Help and version are results.
      if code.isSuccess { exit(withError: error) }
      var message = fullMessage(for: error)
      let prefix = "Error: "
      if message.hasPrefix(prefix) { message.removeFirst(prefix.count) }
      end(message, code: code.rawValue)
    }
  }

  /// Ends the program with a message on standard error, if there is one.
  private static func end(_ message: String, code: Int32) -> Never {
    if !message.isEmpty { StandardError.write("vdsq: \(message)\n") }
    Glibc.exit(code)
  }

  private static func usage(of command: any ParsableCommand.Type) -> String {
    let name = command == self ? "vdsq" : "vdsq \(command._commandName)"
    return "Usage: \(usageString(for: command))\n  See '\(name) --help' for more information."
  }
}

/// Prints a report for people, or as JSON.
///
/// - Throws: `internalFault` if standard output cannot be written to.
func print(_ report: some Report, json: Bool) throws(VDSQError) {
  try StandardOutput.write(line: json ? report.json : report.text)
}
