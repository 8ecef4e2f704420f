import VDSQ
import VDSQFormat
import VDSQInference
import VDSQSemantics
import VDSQTraining

/// A model's vocabulary for explanations, and the encoder that read it.
final class ExplanationRoom {
  private let model: ObjectIdentifier
  private let options: TextEncoder.Options
  private let encoder: TextEncoder
  private let bases: ExplanationBases

  /// Reads the vocabulary, which takes a second or two.
  init(
    _ model: ServedModel.Description, _ options: TextEncoder.Options
  ) throws(VDSQError) {
    self.model = ObjectIdentifier(model.model)
    var options = options
    // Bases are vectors of the model itself, whatever else an adapter reads.
    options.intermediateFeatures = []
    self.options = options
    encoder = try model.model.encoder(options)
    bases = try ExplanationBases(encoder: encoder)
  }

  func serves(_ model: ServedModel.Description, _ options: TextEncoder.Options) -> Bool {
    self.model == ObjectIdentifier(model.model) && self.options.updates == options.updates
      && self.options.prompt == options.prompt && self.options.dimensions == options.dimensions
  }

  /// - Returns: nil for texts that have nothing to read.
  func explain(
    _ answer: Job.Answer, by classifier: Classifier
  ) throws(VDSQError) -> [Explanation?] {
    let explainer = try Explainer(
      bases: bases, encoder: encoder, adapter: answer.adapter, classifier: classifier)
    return answer.outcomes.map { outcome in
      guard case .scores(let scores) = outcome.value, !outcome.isBlank, !scores.state.isEmpty else {
        return nil
      }
      return scores.state.withUnsafeBufferPointer { state in
        guard let words = scores.words else { return explainer.explain(state.baseAddress!) }
        return words.withUnsafeBufferPointer {
          explainer.explain(state.baseAddress!, words: $0.baseAddress!)
        }
      }
    }
  }
}
