public import ArgumentParser
import VDSQCheckpoints
import VDSQFiles
public import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQReports
import VDSQStreams

extension Converter.Weights: ExpressibleByArgument {}
extension RoundingMethod: ExpressibleByArgument {}

extension Smoothing: ExpressibleByArgument {
  public init?(argument: String) {
    switch argument {
    case "auto": self = .automatic
    case "none": self = .none
    default:
      guard let exponent = Double(argument), exponent >= 0, exponent <= 1 else { return nil }
      self = .exponent(exponent)
    }
  }

  public var defaultValueDescription: String {
    switch self {
    case .automatic: "auto"
    case .none: "none"
    case .exponent(let exponent): "\(exponent)"
    }
  }

  public static var allValueStrings: [String] { ["auto", "none"] }
}

struct Convert: Command {
  static let configuration = CommandConfiguration(
    abstract: "Converts a model's checkpoint to one .vdsq file.",
    discussion: """
      Reads a Hugging Face folder, that is config.json, tokenizer.json, the weights in safetensors \
      or pytorch_model.bin (f64, f32, f16, bf16, or int8 with a scale per row; in one file or \
      several) and a sentence-transformers folder's pooling if it exists (or one weight file of \
      such a folder: .safetensors, .bin, .pt or .pth); a GGUF file (\(SourceType.ggufNames); \
      \(CheckpointArchitecture.supportedGGUF)); or a .bin file of llama2.c, with its \
      tokenizer.bin. Supported architectures: \(CheckpointArchitecture.supportedModelTypes). \
      Models with an LM head get vocabulary bases, for which OpenBLAS is needed (--no-bases omits \
      them). With --head, an LM head alone becomes a file of bases.

      Linear layers are stored in the layout that the kernels read, so nothing is packed at start. \
      The same input and options give the same bytes.
      """)

  @Argument(
    help: "The model's folder, its GGUF file, or llama2.c's .bin; or give --head.",
    completion: .file())
  var input: String?

  @Option(
    help: "A .npy or .npz file with an LM head, one row per token; W.npz:NAME names an array.",
    completion: .file()
  )
  var head: String?

  @Option(help: "With --head: the texts of the tokens, one per line.", completion: .file())
  var vocab: String?

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output: String

  @Option(
    help: """
      Type of the weights: int8 (a scale per row), fp16, fp32, or int4 (linear layers and the \
      words of encoders in groups of 32 columns, the others as int8).
      """)
  var weights: Converter.Weights = .int8

  @Option(
    help: """
      Store the matching tensors in another type: embeddings=fp16, layer.0=fp32, \
      'layer.*.feed_forward.down=fp16'. May be repeated; the last match counts.
      """)
  var keep: [String] = []

  @Option(
    help: """
      32 or 64: int8 linear layers get a factor for each group of so many columns, where that \
      takes at least a fifth of the error away. With int4: the columns of a group.
      """)
  var groupSize: Int?

  @Option(
    help: """
      Scales of the activations' columns, folded into the weights: auto (decoders in integers; \
      the least expected error on sample sentences), none, or SmoothQuant's exponent, from 0 to 1.
      """)
  var smoothing = Smoothing.automatic

  @Option(
    help: """
      How weights of four bits are rounded: gptq (one after another; each makes up for the errors \
      of those before, by what the model reads in sample sentences) or nearest.
      """)
  var rounding: RoundingMethod = .gptq

  @Flag(
    help: "Store sections in LZ4 blocks if that saves a twentieth; they are decoded at start.")
  var compress = false

  @Flag(help: "Has no effect: linear layers are always stored in the layout of the kernels.")
  var pack = false

  @Flag(help: "Also store the vocabulary with two bits per dimension, for vdsq logits --approx.")
  var coarse = false

  @Flag(inversion: .prefixedNo, help: "Store vocabulary bases if there is an LM head.")
  var bases = true

  @Option(
    help: """
      How bases are defined: balanced (rows of the head plus a vector; the model reads sample \
      sentences), ridge, pinv (arXiv 2401.16184), head or embedding.
      """)
  var basesMethod = BasesMethod.balanced

  @Option(help: "With 1, reading, hashing and writing alternate; with more, they overlap.")
  var threads: Int = EncoderOptions.processors

  @OptionGroup var memory: MemoryOptions

  @Option(help: "An HTML page to write: errors by layer, scales, sizes.", completion: .file())
  var report: String?

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @Flag(help: "Write the summary as JSON.")
  var json = false

  @Flag(
    name: .customLong("encoder-only"),
    help: "Make an encoder of a finetuned classifier, without its trained head.")
  var encoderOnly = false

  @Option(
    help: """
      Leave out the checkpoint's tensors of such names, although the model would compute something \
      else with them: 'adapter.*'. May be repeated.
      """)
  var ignore: [String] = []

  @Flag(name: .shortAndLong, help: "No progress, no summary.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(inputs: [input, head, vocab], outputs: [output, report], replaces: force)
  }

  func validate() throws {
    guard (input == nil) != (head == nil) else {
      throw ValidationError("give either a checkpoint or --head")
    }
    guard vocab == nil || head != nil else { throw ValidationError("--vocab goes with --head") }
    guard groupSize == nil || ContainerLayout.groupLengths.contains(groupSize!) else {
      throw ValidationError("--group-size must be 32 or 64")
    }
    guard threads >= 1, threads <= 256 else { throw ValidationError("--threads: from 1 to 256") }
    guard
      head == nil
        || (keep.isEmpty && ignore.isEmpty && groupSize == nil && !compress && !coarse
          && report == nil && smoothing == .automatic && rounding == .gptq)
    else { throw ValidationError("--head goes with --weights, --vocab and --memory-budget alone") }
    guard head == nil || weights != .int4 else {
      throw ValidationError("--weights: bases have int8, fp16 or fp32")
    }
  }

  func execute() throws(VDSQError) {
    if head != nil { return try convertHead() }
    let start = Timing.now()
    let converter = try Converter(folder: input!, options: try options())
    for warning in converter.warnings { StandardError.write("vdsq: \(warning)\n") }
    let bar = ProgressBar("converting", quiet: quiet)
    let progress = Progress(total: converter.totalBytes) { bar.show($0.done, of: $0.total) }
    defer { bar.end() }
    let summary = try converter.write(to: output, replace: force, progress: progress)
    bar.end()
    let seconds = Timing.now() - start
    if let report {
      // The scales of compressed sections are read from their decoded bytes.
      try memory.checkReading(
        [try Container(path: output, decoding: .noWeights)], decodes: true,
        what: "\(output) is written, but its report")
      try ConversionPage(try Container(path: output)).write(to: report, replace: force)
    }
    guard json || !quiet else { return }
    try print(
      ConversionReport(
        summary: summary, output: output, seconds: seconds,
        peakBytes: ProcessMemory.peakResidentBytes()), json: json)
  }

  private func options() throws(VDSQError) -> Converter.Options {
    var options = Converter.Options(weights: weights, coarse: coarse)
    for rule in keep { options.keep.append(try WeightRule(rule)) }
    options.groups = groupSize
    options.smoothing = smoothing
    options.rounding = rounding
    options.compress = compress
    options.bases?.method = basesMethod
    options.dropsHead = encoderOnly
    options.ignored = ignore
    options.threads = threads
    options.budget = try memory.bytes()
    if !bases { options.bases = nil }
    return options
  }

  /// Does what `vdsq bases --head` does, with its default method.
  private func convertHead() throws(VDSQError) {
    guard var command = try? Bases.parse(["--head", head!, "--output", output]) else {
      throw VDSQError(.internalFault, "convert --head \(head!) --output \(output)")
    }
    command.weights = weights
    command.threads = threads
    command.vocab = vocab
    command.memory = memory
    (command.force, command.json, command.quiet) = (force, json, quiet)
    try command.execute()
  }
}
