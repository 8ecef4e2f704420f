import ArgumentParser
import VDSQ

/// Options for running a model whose texts are not cut.
struct RunningOptions: ParsableArguments {
  @Option(help: "Threads that share the work; all processors by default.")
  var threads: Int = EncoderOptions.processors

  @Option(
    help: """
      Arithmetic of int8 weights: int8 (activations as u8, products in integers) or high \
      (activations in float32; slower, closer to the checkpoint).
      """, completion: .list(Precision.allValueStrings))
  var precision: Precision = .integer

  @Option(
    help: """
      How layers are kept in memory: resident, release (mapped, and released behind the pass) or \
      stream (read into two buffers, ahead of the pass). The default is resident, or the fastest \
      that --memory-budget allows.
      """, completion: .list(MemoryPolicy.allValueStrings))
  var memoryPolicy: MemoryPolicy?

  @OptionGroup var memory: MemoryOptions

  /// The options in the form of the library, with notes on standard error.
  ///
  /// - Throws: `usage` if the budget is not a number of bytes.
  func run(quiet: Bool) throws(VDSQError) -> RunOptions {
    var run = RunOptions()
    (run.threads, run.precision, run.memoryPolicy) = (threads, precision, memoryPolicy)
    run.memoryBudget = try memory.bytes()
    (run.onCutForBudget, run.onNote) = (
      EncoderOptions.warnings(quiet), EncoderOptions.warnings(quiet)
    )
    return run
  }
}
