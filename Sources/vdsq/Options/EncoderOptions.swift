public import ArgumentParser
public import VDSQ
import VDSQReports
import VDSQSemantics

extension Precision: ExpressibleByArgument {
  public init?(argument: String) {
    switch argument {
    case "int8": self = .integer
    case "high": self = .high
    default: return nil
    }
  }

  public static var allValueStrings: [String] { ["int8", "high"] }

  public var defaultValueDescription: String { self == .high ? "high" : "int8" }
}

/// Options for running a model, shared by every command that runs one.
struct EncoderOptions: ParsableArguments {
  @Option(help: "Threads that share the work; all processors by default.")
  var threads: Int = Self.processors

  static var processors: Int { min(256, Processors.available) }

  @Option(
    help: """
      Arithmetic of int8 weights: int8 (activations as u8, products in integers) or high \
      (activations in float32; slower, closer to the checkpoint).
      """, completion: .list(Precision.allValueStrings))
  var precision: Precision = .integer

  @Option(
    help: """
      Cut texts to this many tokens. The default is the model's longest sequence, but at most \
      \(TextEncoder.defaultLongest) for causal models.
      """)
  var maxTokens: Int?

  @Option(
    help: "Texts of maximum length in a batch; by default enough to keep all threads busy.")
  var batch: Int?

  @Option(
    help: """
      How layers are kept in memory: resident, release (mapped, and released behind the pass) or \
      stream (read into two buffers, ahead of the pass). The default is resident, or the fastest \
      that --memory-budget allows.
      """, completion: .list(MemoryPolicy.allValueStrings))
  var memoryPolicy: MemoryPolicy?

  @Option(
    help: """
      The model's prompt, by its name, that precedes every text, label words included. The default \
      is the model's default prompt.
      """)
  var prompt: String?

  @Option(
    help: """
      Cut the vectors of a sentence encoder to this many dimensions (Matryoshka), and scale them to \
      length 1 again if the model's vectors are.
      """)
  var dimensions: Int?

  @OptionGroup var memory: MemoryOptions

  func validate() throws {
    guard batch.map({ $0 >= 1 && $0 <= 4096 }) ?? true else {
      throw ValidationError("--batch must be from 1 to 4096")
    }
  }

  /// Opens a model under the requested policy, or under the fastest that the budget allows.
  ///
  /// - Parameters:
  ///   - adapter: an adapter whose prompt and number of dimensions hold; nil for none.
  ///   - repair: a repair of the model's weights; nil for none.
  ///   - rows: the rows of the vocabulary with which states are compared.
  ///   - more: bytes that the command needs beside the model.
  ///   - morePerToken: bytes that it needs for each token of a text.
  ///   - onCut: told if the budget has room for shorter texts only, which are then cut; nil refuses
  ///     such a budget.
  /// - Throws: `budgetTooSmall`, with the smallest sufficient budget.
  func encoder(
    _ path: String, for adapter: Adapter? = nil, repair: Repair? = nil,
    comparing rows: TextEncoder.ComparedRows = .none, more: Int = 0, morePerToken: Int = 0,
    onCut: (@Sendable (String) -> Void)? = nil
  ) throws(VDSQError) -> TextEncoder {
    var run = try run()
    if let adapter {
      (run.prompt, run.dimensions) = try adapter.vectors(run.prompt, run.dimensions)
    }
    (run.onCutForBudget, run.repair) = (onCut, repair)
    return try Model(path: path).encoder(
      run, comparing: rows, more: more, morePerToken: morePerToken)
  }

  /// Writes warnings to standard error, or none.
  static func warnings(_ quiet: Bool) -> @Sendable (String) -> Void {
    { if !quiet { StandardError.write("vdsq: \($0)\n") } }
  }

  /// The options in the form of the library, with notes on standard error.
  ///
  /// - Throws: `usage` if the budget is not a number of bytes.
  func run(quiet: Bool) throws(VDSQError) -> RunOptions {
    var run = try run()
    (run.onCutForBudget, run.onNote) = (Self.warnings(quiet), Self.warnings(quiet))
    return run
  }

  /// The options in the form of the library.
  ///
  /// - Throws: `usage` if the budget is not a number of bytes.
  func run() throws(VDSQError) -> RunOptions {
    var run = RunOptions()
    run.threads = threads
    run.precision = precision
    run.maximumTokens = maxTokens
    (run.prompt, run.dimensions) = (prompt, dimensions)
    run.batch = batch
    run.memoryPolicy = memoryPolicy
    run.memoryBudget = try memory.bytes()
    return run
  }

  /// - Throws: `usage` if the budget is not a number of bytes.
  func options() throws(VDSQError) -> TextEncoder.Options { try run().encoderOptions() }
}

extension MemoryPolicy: ExpressibleByArgument {
  public init?(argument: String) { self.init(name: argument) }

  public static var allValueStrings: [String] { all.map(\.name) }

  public var defaultValueDescription: String { name }
}
