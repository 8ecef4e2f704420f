import VDSQ
import VDSQFormat
import VDSQInference
import VDSQSemantics

/// The memory policy and options with which a model is opened.
package struct Opening {
  package let path: String
  package let options: TrainingOptions
  package private(set) var encoder: TextEncoder.Options

  package init(path: String, options: TrainingOptions, features: [IntermediateFeature]) {
    self.path = path
    self.options = options
    encoder = options.encoder
    encoder.intermediateFeatures = features
  }

  /// Chooses the requested policy, or the fastest that the budget allows.
  ///
  /// - Parameters:
  ///   - policies: the policies to choose from if none is requested. Without a budget the first is
  ///     chosen.
  ///   - more: bytes that the work needs beside the model.
  /// - Throws: `budgetTooSmall`, with the smallest sufficient budget.
  package mutating func choose(
    among policies: [MemoryPolicy], more: Int
  ) throws(VDSQError) {
    encoder.policy = try MemoryPolicy.fastest(
      requested: options.memoryPolicy, budget: options.memoryBudget, of: path, options: encoder,
      more: more, among: policies)
  }

  /// - Throws: `missingInput` or `badInput` for the file.
  package func container() throws(VDSQError) -> Container {
    try Container(path: path, kind: .model, decoding: encoder.policy.decoding)
  }
}
