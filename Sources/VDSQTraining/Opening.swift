import VDSQ
import VDSQFormat
import VDSQInference
import VDSQSemantics

/// How a model is to be opened within a memory budget.
struct Opening {
  let path: String
  let options: TrainingOptions
  private(set) var encoder: TextEncoder.Options

  init(path: String, options: TrainingOptions, features: [IntermediateFeature]) {
    self.path = path
    self.options = options
    encoder = options.encoder
    encoder.intermediateFeatures = features
  }

  /// Takes the fastest policy that the budget allows, or the one that is asked for.
  ///
  /// - Parameters:
  ///   - policies: those that may be taken where none is asked for; the first where there is no
  ///     budget.
  ///   - more: bytes that are known to be taken beside the model.
  /// - Throws: `budgetTooSmall`, with the smallest budget that would do.
  mutating func choose(
    among policies: [MemoryPolicy], more: Int
  ) throws(VDSQError) {
    let policies = MemoryPolicy.among(options.memoryPolicy, or: policies)
    encoder.policy = policies[0]
    if let budget = options.memoryBudget {
      encoder.policy = try Footprint.policy(
        within: budget, of: path, options: encoder, among: policies, more: more)
    }
  }

  /// - Throws: `missingInput` or `badInput` for the file.
  func container() throws(VDSQError) -> Container {
    try Container(path: path, kind: .model, decoding: encoder.policy.decoding)
  }
}
