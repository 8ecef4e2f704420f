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
      For each layer and token of a text: the tokens with the closest bases (basis lens) or the \
      highest logits of the LM head (logit lens), the rank of the last layer's first token over \
      the whole vocabulary, the entropy, the divergence from the last layer, and the cosine to the \
      state of the layer before. Writes a self-contained page with heat maps (--output), or JSON \
      to standard output.
      """)

  @Argument(
    help: "The .vdsq file of a causal or masked language model, or of a sentence encoder.",
    completion: .file())
  var model: String

  @Argument(help: "The text.")
  var text: String

  @Option(help: "Another text, which is shown beside the first one. Can be repeated.")
  var compare: [String] = []

  @Option(name: .shortAndLong, help: "An .html file to write.", completion: .file())
  var output: String?

  @Flag(help: "Write JSON to standard output.")
  var json = false

  @Option(help: "Some of basis,logit,tuned. The default is all that there are.")
  var lens: String?

  @Option(
    help: """
      Add the rank and the probability of this token at each state. By its text or id; " Paris" \
      and "Paris" are different tokens. Can be repeated.
      """)
  var token: [String] = []

  @Option(
    help: "Show what layers would say if they were the last, by a file of vdsq tune-lens.",
    completion: .file())
  var tuned: String?

  @Option(help: "The token of --gradient-out, by its text or id.")
  var gradient: String?

  @Option(
    help: """
      A .npy file to write: the gradient of the loss of the token of --gradient, as the basis lens \
      sees each state, float32, [layers + 1, tokens, dimensions].
      """, completion: .file())
  var gradientOut: String?

  @Option(help: "The number of tokens to keep for each state.")
  var top = 5

  @Option(help: "Softmax temperature of the cosines; the default is that of the bases, or 0.05.")
  var temperature: Float?

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @OptionGroup var vocabulary: VocabularyOptions
  @OptionGroup var encoding: EncoderOptions
  @OptionGroup var steering: SteeringOptions
  @OptionGroup var repair: RepairOptions

  var files: CommandFiles {
    CommandFiles(
      inputs: [model, vocabulary.bases, tuned, repair.repair] + steering.files,
      outputs: [output, gradientOut], replaces: force)
  }

  func validate() throws {
    guard output != nil || json || gradientOut != nil else {
      throw ValidationError("give --output, --json or both")
    }
    guard (gradient == nil) == (gradientOut == nil) else {
      throw ValidationError("--gradient and --gradient-out go together")
    }
    guard top >= 1, top <= 100 else { throw ValidationError("--top must be from 1 to 100") }
    guard temperature.map({ $0 > 0 && $0.isFinite }) ?? true else {
      throw ValidationError("--temperature must be above 0")
    }
  }

  func execute() throws(VDSQError) {
    let tell = EncoderOptions.warnings(false)
    var options = Lens.Options()
    if let lens { options.views = try LensReport.views(lens) }
    (options.top, options.temperature) = (top, temperature)
    let file = try Container(path: model, kind: .model, decoding: .noWeights)
    options.bases = try vocabulary.choice(model) ?? .own
    let encoder = try encoding.encoder(
      model, repair: try repair.read(for: model), comparing: .all,
      more: vocabulary.bytes + (tuned == nil ? 0 : try TunedLens.bytes(for: file)),
      morePerToken: try LensReport.bytesPerToken(
        options, hasTranslators: tuned != nil, texts: 1 + compare.count, tracked: token.count,
        of: file),
      onCut: tell)
    for name in token {
      let named = try NamedToken(name, of: encoder, option: "--token")
      options.tracked.append(named.id)
      if let note = named.note { tell(note) }
    }
    if let tuned { options.tuned = try TunedLens(path: tuned, for: encoder) }
    try encoder.steer(try steering.directions(), onNote: tell)
    if let gradient, let gradientOut {
      let named = try NamedToken(gradient, of: encoder, option: "--gradient")
      if let note = named.note { tell(note) }
      try LensGradients.write(
        text, token: named.id, encoder: encoder, options: options, to: gradientOut, replace: force)
      if output == nil, !json { return }
    }
    let report = try LensReport(
      [text] + compare, encoder: encoder, options: options, model: Self.name(model))
    for text in report.texts where !Array(text.utf8).withUnsafeBytes({ encoder.fits($0) }) {
      tell("the text was cut to \(encoder.maximumTokens) tokens")
    }
    if json { try StandardOutput.write(line: report.json) }
    if let output { try LensPage(report).write(to: output, replace: force) }
  }

  private static func name(_ path: String) -> String {
    path.split(separator: "/").last.map(String.init) ?? path
  }
}
