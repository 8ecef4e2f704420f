package import VDSQFormat
package import VDSQInference
import VDSQKernels

/// The time of a model's forward pass over given tokens.
package struct ForwardBench {
  /// The number of sequences, and of tokens in each.
  package let batch: Int
  /// The number of tokens in each sequence, 2 to the model's longest.
  package let tokens: Int
  /// The number of threads of the pass.
  package let threads: Int
  /// The median of one pass.
  package let milliseconds: Double
  /// The time of the linear layers' multiply-adds at the peak rate of the instruction set on these
  /// threads, divided by the measured time.
  package let shareOfPeak: Double

  /// The pass of a model, and its buffers.
  private struct Pass {
    let longest: Int
    let vocabulary: Int
    /// The multiply-adds of the linear layers per token.
    let products: Int
    let run: (TokenBatch) throws(VDSQError) -> Void
  }

  /// - Throws: `badInput` if the container does not hold a model, `usage` if a sequence is longer
  ///   than the model's longest.
  package init(
    _ container: Container, batch: Int, tokens: Int, threads: Int, seconds: Double,
    policy: MemoryPolicy = .resident
  ) throws(VDSQError) {
    self.batch = batch
    self.tokens = tokens
    self.threads = threads
    let kernels = try KernelTable.select()
    guard tokens >= 2, tokens <= 1 << 16, batch >= 1, batch <= 4096 else {
      throw .usage("from 2 to the model's longest sequence", .sequenceLength)
    }
    let pass = try Self.pass(container, kernels, ThreadPool(count: threads), batch, tokens, policy)
    guard tokens <= pass.longest else {
      throw .usage("from 2 to \(pass.longest), the model's longest sequence", .sequenceLength)
    }
    var words = TokenBatch()
    for sequence in 0..<batch {
      for i in 0..<tokens {
        words.ids.append(Int32((sequence * 7919 + i * 104_729) % pass.vocabulary))
      }
      words.endSequence()
    }
    var failure: VDSQError?
    let time = Timing.median(seconds: seconds) {
      do throws(VDSQError) { try pass.run(words) } catch { failure = error }
    }
    if let failure { throw failure }
    milliseconds = time * 1e3
    let peak = MachineLimits(kernels: kernels).int8Products * Double(threads)
    shareOfPeak = Double(pass.products * tokens * batch) / peak / time
  }

  private static func pass(
    _ container: Container, _ kernels: KernelTable, _ threads: ThreadPool, _ batch: Int,
    _ tokens: Int, _ policy: MemoryPolicy
  ) throws(VDSQError) -> Pass {
    let c = try Architecture(container.metadata)
    let run: (TokenBatch) throws(VDSQError) -> Void
    switch c.family {
    case .causalDecoder:
      let decoder = try Decoder(
        container, kernels: kernels, threads: threads, precision: .integer,
        tokenCapacity: tokens * batch, longest: tokens, policy: policy)
      run = { (words) throws(VDSQError) in _ = try decoder.decode(words) }
    case .bidirectionalEncoder:
      let encoder = try Encoder(
        container, kernels: kernels, threads: threads, precision: .integer,
        tokenCapacity: max(tokens, 8) * batch, policy: policy)
      run = { (words) throws(VDSQError) in _ = try encoder.encode(words) }
    }
    return Pass(
      longest: c.maximumTokens, vocabulary: c.vocabularySize, products: c.linearWeights, run: run)
  }
}
