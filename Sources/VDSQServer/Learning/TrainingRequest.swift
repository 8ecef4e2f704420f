import VDSQSemantics
import VDSQTraining

/// What an adapter is trained on.
struct TrainingRequest: Sendable {
  let name: String
  let model: ServedModel.Description
  let labels: [Label]
  let examples: [Examples.Example]
  let outOfScope: String?
  let template: Template?
  /// Nil to learn one example after another.
  let method: TrainingMethod?
}
