import ArgumentParser
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQTraining

struct Adapt: Command {
  static let configuration = CommandConfiguration(
    abstract: "Learns an adapter from examples, on the device: a few in seconds, many in minutes.",
    discussion: """
      Each example goes through the model once; then what their labels mean is corrected by where \
      their states are. From 32 examples of each label on, the encoder's own weights are finetuned besides \
      (--method frozen does without). The model's file stays as it is.
      """)

  @Argument(help: "The .vdsq file.")
  var model: String

  @Argument(help: #"The examples, JSON Lines: {"text": "...", "label": "..."}."#)
  var examples: String

  @Option(name: .shortAndLong, help: "The adapter file to write.")
  var output: String

  @OptionGroup var label: LabelOptions
  @OptionGroup var encoding: EncoderOptions

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @Flag(name: .shortAndLong, help: "No progress, no summary.")
  var quiet = false

  func execute() throws(VDSQError) {
    let start = Timing.now()
    let adapter = try label.adapter(
      from: examples, model: model, encoding: encoding,
      quiet: quiet)
    let bytes = try adapter.write(to: output, replace: force)
    if quiet { return }
    let peak = ProcessMemory.peakResidentBytes().map { ", peak RSS \(mebibytes($0))" } ?? ""
    print(
      "\(output): \(adapter.labels.count) labels, \(bytes) bytes, "
        + "\(fixed(Timing.now() - start, 2)) s\(peak)")
  }
}
