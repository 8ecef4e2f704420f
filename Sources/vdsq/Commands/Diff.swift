import ArgumentParser
import VDSQFiles
import VDSQConversion
import VDSQFormat
import VDSQReports

struct Diff: Command {
  static let configuration = CommandConfiguration(
    abstract: "Compares two files: configuration, tokenizer, and every tensor's values.",
    discussion: """
      Values are compared as floats, for all storage types. Tensors that differ most come first. \
      Exits with 0 if the contents are the same and with 1 if they differ.
      """)

  @Argument(help: "A .vdsq file, an adapter, or a file of bases.", completion: .file())
  var first: String

  @Argument(help: "Another one.", completion: .file())
  var second: String

  @Flag(help: "Write JSON.")
  var json = false

  @OptionGroup var memory: MemoryOptions

  var files: CommandFiles {
    CommandFiles(inputs: [first, second])
  }

  func execute() throws(VDSQError) {}

  func run() throws {
    do throws(VDSQError) {
      try files.check()
      let descriptions = [
        try Container(path: first, decoding: .noWeights),
        try Container(path: second, decoding: .noWeights),
      ]
      try memory.checkReading(descriptions, decodes: true)
      let difference = try ContainerDifference(
        try Container(path: first), try Container(path: second))
      try print(DifferenceReport(difference, first: first, second: second), json: json)
      if !difference.isEmpty { throw VDSQError(.internalFault, "") }
    } catch {
      // Not a failure: the exit code of `diff` for files that differ.
      if error.message.isEmpty { throw ExitCode(1) }
      StandardError.write("vdsq: \(error.commandLineMessage)\n")
      throw ExitCode(error.category.rawValue)
    }
  }
}
