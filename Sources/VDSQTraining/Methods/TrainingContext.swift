import VDSQInference
import VDSQKernels
import VDSQSemantics

/// The input of a training method besides the examples.
struct TrainingContext {
  /// The encoder that encoded the examples.
  let encoder: TextEncoder
  /// The labels with their anchors.
  let anchors: LabelSet
  /// Whether the encoder's weights may be updated, for which there must be memory.
  let allowsFinetuning: Bool
  /// Seed of random numbers, for methods that draw some.
  let seed: UInt64

  var kernels: KernelTable { encoder.kernels }
  var modelIdentity: UInt32 { encoder.container.identity }
}
