import ArgumentParser
import VDSQ
import VDSQFiles
import VDSQFormat
import VDSQMeasurement
import VDSQReports
import VDSQSemantics
import VDSQTraining

extension SemanticDirections.Method: ExpressibleByArgument {}
extension LayerStates.Tokens: ExpressibleByArgument {}

struct Direction: Command {
  static let configuration = CommandConfiguration(
    abstract: "Finds directions of a layer's states that mean something.",
    discussion: """
      From texts of two labels: the direction from one label to the other (mean, lda), with the \
      AUC of held-out texts behind each layer. From texts without labels: the principal components \
      of their states (pca), or the directions to which the model reacts most (jacobian). \
      --steer FILE.vdsd=FACTOR of generate, logits, lens, classify and embed adds a direction, \
      and --without FILE.vdsd removes it.
      """)

  @Argument(help: "The .vdsq file.", completion: .file())
  var model: String

  @Argument(
    help: """
      Labelled texts of two labels, as for adapt; or texts: one per line, or .jsonl.
      """, completion: .file())
  var texts: String

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output: String

  @Option(help: "How directions are found.")
  var method = SemanticDirections.Method.mean

  @Option(help: "The label that the direction leads to; the first one of the file by default.")
  var toward: String?

  @Option(
    help: """
      The layer, 0 for the embeddings. The default is the last layer of a sentence encoder; of a \
      language model the layer of the highest AUC, or the middle one without labels.
      """)
  var layer: Int?

  @Option(
    help: """
      Whose states are a text's: own (those that the model reads), last (the last token's), mean \
      (of all tokens, but the first of a causal model).
      """)
  var tokens = LayerStates.Tokens.own

  @Option(help: "The number of directions that pca and jacobian find, from 1 to 64.")
  var count = SemanticDirections.Options().count

  @Option(
    help: "Remove what these directions share with those of other files. Can be repeated.",
    completion: .file())
  var orthogonalTo: [String] = []

  @OptionGroup var fields: ExampleFieldOptions
  @OptionGroup var encoding: EncoderOptions

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @Flag(help: "Write the report as JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "No progress.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(inputs: [model, texts] + orthogonalTo, outputs: [output], replaces: force)
  }

  func validate() throws {
    guard count >= 1, count <= 64 else { throw ValidationError("--count must be from 1 to 64") }
    guard toward == nil || method.isSupervised else {
      throw ValidationError("--toward goes with the methods mean and lda")
    }
    guard encoding.dimensions == nil else {
      throw ValidationError("--dimensions cuts vectors; directions are of whole states")
    }
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    let file = try Model(path: model)
    let labelled =
      method.isSupervised ? try fields.reader().read(texts) { if !quiet { $0.tell(texts) } } : []
    let plain =
      method.isSupervised
      ? labelled.map(\.text) : try ReferenceTexts.read(texts, field: fields.textField)
    let encoder = try encoding.encoder(
      model, more: try SemanticDirections.bytes(plain.count, method, file.description),
      morePerToken: try Architecture(file.description.metadata).bytesOfStates,
      onCut: EncoderOptions.warnings(quiet))
    var options = SemanticDirections.Options()
    (options.method, options.tokens, options.layer, options.count) = (method, tokens, layer, count)
    for path in orthogonalTo {
      options.orthogonalTo += try DirectionFile(path: path, for: encoder).vectors
    }
    let bar = ProgressBar("reading \(texts)", quiet: quiet)
    defer { bar.end() }
    let advance: (Double) -> Void = { bar.show(Int($0 * 1000), of: 1000) }
    let found =
      method.isSupervised
      ? try SemanticDirections(
        plain, isPositive: try SemanticDirections.sides(labelled, toward: toward),
        encoder: encoder, options: options, advance: advance)
      : try SemanticDirections(plain, encoder: encoder, options: options, advance: advance)
    let bytes = try found.write(to: output, replace: force)
    let bases = try? ExplanationBases(encoder: encoder)
    bar.end()
    try print(
      DirectionReport(
        found, bases: bases, texts: plain.count, output: output, bytes: bytes,
        seconds: Timing.now() - start),
      json: json)
  }
}
