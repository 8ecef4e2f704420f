import ArgumentParser
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQReports
import VDSQStreams

struct Verify: Command {
  static let configuration = CommandConfiguration(
    abstract: "Compares a converted model with its checkpoint on sample texts.",
    discussion: """
      The checkpoint is converted to float32 in a temporary file and multiplied in float32. Both \
      models read the same sample texts, or --texts. Prints the cosines of their states (a sentence \
      encoder's vectors) and, for models with an LM head, what its logits say: how often the \
      likeliest tokens agree, the Kullback-Leibler divergence of the probabilities and, for causal \
      models, at every token, with the perplexities of both. Checks all checksums of the \
      model first, and whether it was made from these files. With --minimum, a lower mean cosine \
      is an error (exit code 65).
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Option(
    help: "The checkpoint: a model's folder, a GGUF file, or llama2.c's .bin.", completion: .file())
  var against: String

  @Option(help: "A file with one text per line.", completion: .file())
  var texts: String?

  @Option(help: "The smallest acceptable mean cosine.")
  var minimum: Double?

  @OptionGroup var encoding: EncoderOptions

  @Flag(help: "Write JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(inputs: [model, against, texts])
  }

  func validate() throws {
    guard minimum.map({ $0 >= -1 && $0 <= 1 }) ?? true else {
      throw ValidationError("--minimum must be from -1 to 1")
    }
  }

  func execute() throws(VDSQError) {
    let container = try Container(path: model, kind: .model)
    try container.verify()
    let lines = try texts.map { (path) throws(VDSQError) in try TextLines(path: path) }
    let samples = lines?.texts.map { String(decoding: $0, as: UTF8.self) } ?? SampleTexts.all
    let bar = ProgressBar("verifying", quiet: quiet)
    defer { bar.end() }
    var high = encoding
    high.precision = .high
    let verification = try Verification(
      container, against: against, texts: samples,
      openModel: { () throws(VDSQError) in
        try encoding.encoder(model, more: 4 * container.file.bytes.count)
      },
      openReference: { (path) throws(VDSQError) in try high.encoder(path) },
      progress: { bar.show($0, of: $1) })
    bar.end()
    let fidelity = verification.fidelity
    if !quiet {
      ChangedTexts(
        count: samples.count, truncated: fidelity.truncated, tokens: fidelity.maximumTokens,
        replaced: lines?.replaced ?? 0
      ).tell(texts)
    }
    try print(VerificationReport(verification, model: model, checkpoint: against), json: json)
    let mean = fidelity.mean
    if let minimum, mean < minimum {
      throw .badInput(
        "\(model): the mean cosine \(fixed(mean, 5)) is below --minimum \(minimum)")
    }
  }
}
