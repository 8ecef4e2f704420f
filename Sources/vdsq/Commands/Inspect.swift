import ArgumentParser
import VDSQConversion
import VDSQFiles
import VDSQFormat
import VDSQReports

struct Inspect: Command {
  static let configuration = CommandConfiguration(
    abstract: "Shows the contents of a file: configuration, sections, tensors, quantization error."
  )

  @Argument(help: "A .vdsq file, an adapter, or a file of bases.", completion: .file())
  var file: String

  @Option(help: "Write the values of this tensor to --output, as float32.")
  var tensor: String?

  @Option(name: .shortAndLong, help: "With --tensor: the .npy file to write.", completion: .file())
  var output: String?

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @Flag(help: "Write JSON.")
  var json = false

  @Flag(help: "Check the checksum of every section, weights included.")
  var verify = false

  @OptionGroup var memory: MemoryOptions

  var files: CommandFiles {
    CommandFiles(inputs: [file], outputs: [output], replaces: force)
  }

  func validate() throws {
    guard (tensor == nil) == (output == nil) else {
      throw ValidationError("--tensor goes with --output")
    }
  }

  func execute() throws(VDSQError) {
    let description = try Container(path: file, decoding: .noWeights)
    try memory.checkReading([description], decodes: tensor != nil)
    let container = tensor == nil ? description : try Container(path: file)
    if verify { try container.verify() }
    if let tensor, let output {
      return try StoredRows(container, tensor).write(npy: output, replace: force)
    }
    try print(ContainerReport(try ContainerSummary(container), isVerified: verify), json: json)
  }
}
