import VDSQInference
import VDSQKernels
import VDSQSemantics

/// What a method trains with, beside the examples.
struct TrainingContext {
  /// The model whose states the examples are.
  let encoder: TextEncoder
  /// The labels with the vectors of their words.
  let anchors: LabelSet
  /// Whether the encoder's weights may be updated: there is memory for it.
  let allowsFinetuning: Bool
  /// Seed of random numbers, for methods that draw some.
  let seed: UInt64

  var kernels: KernelTable { encoder.kernels }
  var modelIdentity: UInt32 { encoder.container.identity }
}
