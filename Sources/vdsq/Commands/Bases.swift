public import ArgumentParser
import VDSQCheckpoints
import VDSQFiles
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQReports
import VDSQStreams

extension BasesMethod: ExpressibleByArgument {}

struct Bases: Command {
  static let configuration = CommandConfiguration(
    abstract: "Computes vocabulary bases from an LM head, within a memory budget.",
    discussion: """
      The basis of a token is a vector to which states are compared by cosine. balanced adds a \
      common vector to the head's rows, for which a .vdsq model reads sample sentences; pinv takes \
      the state that the head maps closest to the token's one-hot vector. The head is read in tiles, so memory \
      does not grow with the vocabulary. The command prints its memory plan to standard error \
      first. It reports the condition number and the rank of the head, and |W S^T e - e| over \
      sampled tokens. vdsq convert computes bases itself.
      """)

  @Argument(help: "A .vdsq model, or a checkpoint's folder; or give --head.", completion: .file())
  var input: String?

  @Option(help: "A .npy file with the head's weights, one row per token.", completion: .file())
  var head: String?

  @Option(help: "With --head: the texts of the tokens, one per line.", completion: .file())
  var vocab: String?

  @Option(name: .shortAndLong, help: "The file to write.", completion: .file())
  var output: String

  @Option(
    help: "A .npy file to write besides: the bases before they are scaled to length 1, float32.",
    completion: .file())
  var npy: String?

  @Option(
    help: """
      balanced (the default for a .vdsq model), ridge (the default otherwise), pinv (the paper's \
      pseudo-inverse), head (rows of the head), or embedding (word embeddings).
      """)
  var method: BasesMethod?

  @Option(help: "Singular values below this share of the largest count as zero.")
  var rcond: Double?

  @Option(help: "The penalty of ridge, as a share of the mean squared singular value.")
  var lambda = 1.0

  @Option(help: "How bases are stored: int8, fp16 or fp32.")
  var weights: Converter.Weights = .int8

  @OptionGroup var memory: MemoryOptions

  @Option(help: "Threads for the linear algebra; all processors by default.")
  var threads: Int = EncoderOptions.processors

  @Flag(help: "Replace the output file if it exists.")
  var force = false

  @Flag(help: "Write the report as JSON.")
  var json = false

  @Flag(name: .shortAndLong, help: "No plan, no progress.")
  var quiet = false

  var files: CommandFiles {
    CommandFiles(inputs: [input, head, vocab], outputs: [output, npy], replaces: force)
  }

  func validate() throws {
    guard (input == nil) != (head == nil) else {
      throw ValidationError("give either a model or --head")
    }
    guard vocab == nil || head != nil else { throw ValidationError("--vocab goes with --head") }
    guard rcond.map({ $0 >= 0 && $0 < 1 }) ?? true else {
      throw ValidationError("--rcond must be from 0 to below 1")
    }
    guard weights != .int4 else {
      throw ValidationError("--weights: bases have int8, fp16 or fp32")
    }
    guard lambda > 0, lambda.isFinite else { throw ValidationError("--lambda must be above 0") }
    guard threads >= 1, threads <= 256 else { throw ValidationError("--threads: from 1 to 256") }
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    var options = BasesOptions()
    options.rcond = rcond
    options.lambda = lambda
    options.budget = try memory.bytes()
    options.threads = threads
    // The texts of tokens take memory, so they are omitted if there is a budget.
    let hasTokens = options.budget == nil
    let source =
      if let head { try BasesSource(head: head, vocabulary: vocab) } else {
        try BasesSource(input!, method: method, withTokens: hasTokens)
      }
    options.method = method ?? source.method
    let bar = ProgressBar("computing bases", quiet: quiet)
    defer { bar.end() }
    let solver = try source.solver(options)
    if !quiet {
      StandardError.write(
        solver.plan.text(
          rows: solver.head.rows, columns: solver.head.columns, method: options.method))
    }
    var done = 0
    let (report, bytes) = try BasesFile.write(
      solver, weights: weights, identity: source.model?.identity, tokenizer: source.tokenizer,
      to: output,
      array: try npy.map { (path) throws(VDSQError) in
        try NPYWriter(path: path, columns: solver.head.columns, replace: force)
      }, replace: force,
      progress: {
        done += $0
        bar.show(done, of: solver.passes * solver.head.rows)
      })
    bar.end()
    try print(
      BasesFileReport(
        report, output: output, bytes: bytes, seconds: Timing.now() - start,
        peakBytes: ProcessMemory.peakResidentBytes()), json: json)
  }
}
