import ArgumentParser
import VDSQ
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQReports
import VDSQSemantics

struct Plan: Command {
  static let configuration = CommandConfiguration(
    abstract: "Computes the memory that running a model will take, part by part, before the work.",
    discussion: """
      One short text passes through the model to measure what the program itself takes. The rest \
      is arithmetic: layers under each policy, arena and caches at the maximum for --max-tokens, \
      --batch and --threads, and an adapter. With --memory-budget, names the policy that would be \
      chosen, or exits with 75. --speed also measures the time under each policy.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Option(help: "An adapter to include.", completion: .file())
  var adapter: String?

  @Flag(help: "Measure the time of a full batch under each policy that the budget allows.")
  var speed = false

  @Flag(help: "Write JSON.")
  var json = false

  @OptionGroup var encoding: EncoderOptions

  var files: CommandFiles {
    CommandFiles(inputs: [model, adapter])
  }

  func execute() throws(VDSQError) {
    let learned = try adapter.map { (path) throws(VDSQError) in
      try Adapter(
        path: path, model: try Container(path: model, kind: .model, decoding: .noWeights))
    }
    let options = try encoding.options(
      intermediateFeatures: learned?.intermediateFeatures ?? [])
    let all = try Footprint.each(of: model, options: options, more: 2 * (learned?.bytes ?? 0))
    var comparison = try PolicyComparison(
      of: all, within: try encoding.memory.bytes(),
      among: MemoryPolicy.among(encoding.memoryPolicy))
    if speed { try comparison.measure(model, options: options) }
    try print(PolicyReport(comparison), json: json)
  }
}
