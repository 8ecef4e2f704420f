public import VDSQFormat
import VDSQInference
import VDSQKernels

/// The time of an encoder's forward pass over tokens that are there already.
public struct EncoderBench {
  /// Sequences, and tokens in each.
  public let batch: Int
  public let tokens: Int
  public let threads: Int
  /// The median of one pass.
  public let milliseconds: Double
  /// Multiply-adds of the linear layers at the instruction set's peak rate on these threads, over the
  /// time taken.
  public let shareOfPeak: Double

  /// - Throws: `badInput` where the container is no encoder's, `usage` where a sequence is longer than
  ///   the model's longest.
  public init(
    _ container: Container, batch: Int, tokens: Int, threads: Int, seconds: Double
  ) throws(VDSQError) {
    self.batch = batch
    self.tokens = tokens
    self.threads = threads
    let kernels = try KernelTable.select()
    let encoder = try Encoder(
      container, kernels: kernels, threads: ThreadPool(count: threads), precision: .integer,
      tokenCapacity: max(tokens, 8) * batch)
    let c = encoder.configuration
    guard tokens >= 2, tokens <= c.maximumTokens, batch >= 1, batch <= 4096 else {
      throw .usage("--tokens: from 2 to \(c.maximumTokens), the model's longest sequence")
    }
    var words = TokenBatch()
    for sequence in 0..<batch {
      for i in 0..<tokens {
        words.ids.append(Int32((sequence * 7919 + i * 104_729) % c.vocabularySize))
      }
      words.endSequence()
    }
    var failure: VDSQError?
    let time = Timing.median(seconds: seconds) {
      do throws(VDSQError) { _ = try encoder.encode(words) } catch { failure = error }
    }
    if let failure { throw failure }
    milliseconds = time * 1e3
    let layer = 4 * c.hiddenSize * c.hiddenSize + 2 * c.hiddenSize * c.intermediateSize
    let products = Double(layer * c.layers * tokens * batch)
    let peak = MachineLimits(kernels: kernels).int8Products * Double(threads)
    shareOfPeak = products / peak / time
  }
}
