import VDSQ
import VDSQFormat
import VDSQInference
import VDSQSemantics

/// An encoder over a served model's map, with an arena of its own. Texts of one lane can share a
/// pass; adapters that read other layers or change weights have lanes of their own.
final class Lane {
  let encoder: TextEncoder

  init(_ encoder: TextEncoder) { self.encoder = encoder }

  /// Whether an adapter can read this lane's states.
  func serves(_ adapter: Adapter) -> Bool {
    adapter.intermediateFeatures == encoder.intermediateFeatures
      && adapter.updates == encoder.updates
      && adapter.labels.dimensions == encoder.dimensions
      && adapter.labels.hasVectors(of: encoder.options)
  }

  /// Whether what follows texts fits the lane's memory.
  func serves(_ continuations: TokenTree.Size) -> Bool {
    encoder.options.continuations.holds(continuations)
  }
}
