package import VDSQInference
package import VDSQKernels
package import VDSQSemantics

/// The input of a training method besides the examples.
package struct TrainingContext {
  /// The encoder that encoded the examples.
  package let encoder: TextEncoder
  /// The labels with their anchors.
  package let anchors: LabelSet
  /// Whether the encoder's weights may be updated, for which there must be memory.
  package let allowsFinetuning: Bool
  /// The states of texts without labels, with the columns of the examples; nil for none.
  package let unlabelled: FeatureMatrix?
  /// Seed of random numbers, for methods that draw some.
  package let seed: UInt64
  /// Called as the work goes on.
  package let report: (TrainingEvent) -> Void

  package var kernels: KernelTable { encoder.kernels }
  package var arithmetic: MatrixArithmetic { encoder.arithmetic }
  package var modelIdentity: UInt32 { encoder.container.identity }
}

extension TextEncoder {
  /// Products by the encoder's kernels and threads.
  package var arithmetic: MatrixArithmetic {
    MatrixArithmetic(kernels: kernels, threads: threads)
  }
}
