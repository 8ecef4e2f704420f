import ArgumentParser
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQReports
import VDSQSemantics

struct LensCommand: Command {
  static let configuration = CommandConfiguration(
    commandName: "lens",
    abstract: "Shows the state of every layer at every token in terms of the model's vocabulary.",
    discussion: """
      For each layer and token of a text: the tokens with the closest bases, the cosine to the \
      state of the previous layer, and the layer at which the final answer first appears. Writes a \
      self-contained page with a heat map (--output), or JSON to standard output.
      """)

  @Argument(
    help: "The .vdsq file of a causal or masked language model, or of a sentence encoder.",
    completion: .file())
  var model: String

  @Argument(help: "The text.")
  var text: String

  @Option(name: .shortAndLong, help: "An .html file to write.", completion: .file())
  var output: String?

  @Flag(help: "Write JSON to standard output.")
  var json = false

  @Option(help: "The number of tokens to keep for each state.")
  var top = 5

  @Option(help: "Softmax temperature of the cosines.")
  var temperature: Float = Classifier.defaultTemperature

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @OptionGroup var encoding: EncoderOptions

  var files: CommandFiles {
    CommandFiles(inputs: [model], outputs: [output])
  }

  func validate() throws {
    guard output != nil || json else { throw ValidationError("give --output, --json or both") }
    guard top >= 1, top <= 100 else { throw ValidationError("--top must be from 1 to 100") }
    guard temperature > 0, temperature.isFinite else {
      throw ValidationError("--temperature must be above 0")
    }
  }

  func execute() throws(VDSQError) {
    let vocabulary = try Container(path: model, kind: .model, decoding: .noWeights).vocabularyBytes
    let encoder = try encoding.encoder(
      model, more: vocabulary, onCut: EncoderOptions.warnings(false))
    let bytes = Array(text.utf8)
    let lens = try bytes.withBytes { (raw) throws(VDSQError) in
      try Lens(raw, encoder: encoder, top: top, temperature: temperature)
    }
    if bytes.withUnsafeBytes({ !encoder.fits($0) }) {
      StandardError.write("vdsq: the text was cut to \(encoder.maximumTokens) tokens\n")
    }
    let report = LensReport(
      lens: lens, model: Self.name(model), text: text,
      token: { String(decoding: encoder.token($0), as: UTF8.self) })
    if json { try StandardOutput.write(line: report.json) }
    if let output { try LensPage(report).write(to: output, replace: force) }
  }

  private static func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}
