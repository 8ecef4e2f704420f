import ArgumentParser
import Glibc
import VDSQConversion
import VDSQFormat
import VDSQInference

@main
struct VDSQ: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "vdsq",
    abstract: "Turns a language model into one small file, and tells what text means on it.",
    discussion: """
      A model folder goes in and a .vdsq file comes out (convert); texts become labels (classify) \
      or vectors (embed) in a few MB of memory. Results go to standard output, everything else to \
      standard error.

      Exit codes: 64 wrong usage, 65 bad input data, 66 missing input, 70 internal fault, 75 memory \
      budget too small.
      """,
    version: Provenance.toolVersion,
    subcommands: [
      Convert.self, Bases.self, Inspect.self, Classify.self, Plan.self, Adapt.self, Learn.self,
      Embed.self,
      Logits.self,
      LensCommand.self, Bench.self, Verify.self, Diff.self, Eval.self, Review.self,
    ])

  static func main() {
    // What the system happens to have of the program in its cache would be resident too: megabytes, and never the
    // same, so that no plan could keep to them. Smaller pieces would cost milliseconds at every start.
    ProcessMemory.releaseCode(piece: 16384)
    main(nil)
  }
}

/// A command whose failures are typed: one line on standard error and the category's exit code.
protocol Command: ParsableCommand {
  func execute() throws(VDSQError)
}

extension Command {
  func run() throws {
    do throws(VDSQError) {
      try execute()
    } catch {
      StandardError.write("vdsq: \(error.message)\n")
      throw ExitCode(error.category.rawValue)
    }
  }
}

enum StandardError {
  static let isTerminal = isatty(2) == 1

  static func write(_ text: String) {
    var text = text
    // Nothing can be done about a standard error that cannot be written to.
    text.withUTF8 { _ = Glibc.write(2, $0.baseAddress, $0.count) }
  }
}
