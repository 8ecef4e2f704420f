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
      The basis of a token is the state that the head maps closest to the token's one-hot vector: \
      a row of the transposed pseudo-inverse of the head. The head is read in tiles, so memory \
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
    help: "pinv (pseudo-inverse), ridge, head (rows of the head), or embedding (word embeddings).")
  var method: BasesMethod = .pinv

  @Option(help: "Singular values below this share of the largest count as zero.")
  var rcond: Double?

  @Option(help: "The penalty of ridge, as a share of the mean squared singular value.")
  var lambda = 1e-3

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
    CommandFiles(inputs: [input, head, vocab], outputs: [output, npy])
  }

  func validate() throws {
    guard (input == nil) != (head == nil) else {
      throw ValidationError("give either a model or --head")
    }
    guard vocab == nil || head != nil else { throw ValidationError("--vocab goes with --head") }
    guard rcond.map({ $0 >= 0 && $0 < 1 }) ?? true else {
      throw ValidationError("--rcond must be from 0 to below 1")
    }
    guard lambda > 0, lambda.isFinite else { throw ValidationError("--lambda must be above 0") }
    guard threads >= 1, threads <= 256 else { throw ValidationError("--threads: from 1 to 256") }
  }

  func execute() throws(VDSQError) {
    let start = Timing.now()
    var options = BasesOptions()
    options.method = method
    options.rcond = rcond
    options.lambda = lambda
    options.budget = try memory.bytes()
    options.threads = threads
    // The texts of tokens take memory, so they are omitted if there is a budget.
    let source = try source(withTokens: options.budget == nil)
    let matrix = source.matrix
    var tokenizer = source.tokenizer
    if let vocab {
      tokenizer = TokenizerConversion.section(tokens: try Self.tokens(vocab, matrix.rows))
    }
    let solver = try BasesSolver(matrix, options: options)
    if !quiet {
      StandardError.write(
        solver.plan.text(
          rows: solver.head.rows, columns: solver.head.columns, method: method))
    }
    let bar = ProgressBar("computing bases", quiet: quiet)
    defer { bar.end() }
    var done = 0
    let (report, bytes) = try BasesFile.write(
      solver, weights: weights, identity: source.identity, tokenizer: tokenizer, to: output,
      array: try npy.map { (path) throws(VDSQError) in
        try NPYWriter(path: path, columns: matrix.columns, replace: force)
      }, replace: force,
      progress: {
        done += $0
        bar.show(done, of: solver.passes * matrix.rows)
      })
    bar.end()
    try print(
      BasesFileReport(
        report, output: output, bytes: bytes, seconds: Timing.now() - start,
        peakBytes: ProcessMemory.peakResidentBytes()), json: json)
  }

  private struct Source {
    let matrix: HeadMatrix
    var identity: UInt32?
    var tokenizer: [UInt8]?
  }

  private func source(withTokens: Bool) throws(VDSQError) -> Source {
    if let head { return Source(matrix: try HeadMatrix(try NPYFile(path: head).tensor)) }
    let isEmbedding = method == .embedding
    if input!.lowercased().hasSuffix(".vdsq") {
      let model = try Container(path: input!, kind: .model)
      return Source(
        matrix: try HeadMatrix(model: model, embedding: isEmbedding), identity: model.identity,
        tokenizer: withTokens ? Array(try model.bytes(of: .tokenizer)) : nil)
    }
    let folder = try Checkpoint(path: input!)
    return Source(
      matrix: try HeadMatrix(folder: folder, embedding: isEmbedding),
      tokenizer: withTokens ? try HeadMatrix.tokenizer(of: folder) : nil)
  }

  private static func tokens(_ path: String, _ rows: Int) throws(VDSQError) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    try TextFile(path: path).forEachLine { line, _ in lines.append(Array(line)) }
    guard lines.count == rows else {
      throw .badInput("\(path): \(counted(lines.count, "line")), but the head has \(rows) rows")
    }
    return lines
  }
}
