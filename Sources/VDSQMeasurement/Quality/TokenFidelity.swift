import Glibc
package import VDSQFormat
package import VDSQInference
import VDSQSemantics

/// How closely the LM head's probabilities of a model follow those of the reference.
package struct TokenFidelity: Sendable {
  /// The number of predictions that were compared: one at every token of a causal model, one at the
  /// mask of a masked one.
  package let predictions: Int
  /// The share of predictions with the same likeliest token, 0 to 1.
  package let sameShare: Double
  /// The mean Kullback-Leibler divergence of the model's probabilities from the reference's, in
  /// nats.
  package let divergence: Double
  /// The perplexities of the texts, without their first tokens; nil for masked models and texts of
  /// one token.
  package let perplexity: Perplexity?

  /// Perplexities of the same tokens.
  package struct Perplexity: Sendable {
    package let model: Double
    package let reference: Double
  }
}

/// Compares the predictions of two models over texts.
struct TokenComparison {
  private let models: [(encoder: TextEncoder, head: VocabularyLogits)]
  private let vocabulary: Int
  /// For each model, the logits of the whole vocabulary.
  private var logits: [[Float]]
  private var predictions = 0
  private var same = 0
  private var divergence = 0.0
  private var tokens = 0
  /// For each model, the sum of negative logarithms of the tokens' probabilities.
  private var losses = [0.0, 0.0]

  /// - Throws: `badInput` if a model has no LM head.
  init(_ model: TextEncoder, _ reference: TextEncoder) throws(VDSQError) {
    var models: [(TextEncoder, VocabularyLogits)] = []
    for encoder in [model, reference] {
      let rows = try VocabularyRows(head: encoder.container)
      models.append(
        (
          encoder,
          VocabularyLogits(
            rows: rows, kernels: encoder.kernels, threads: encoder.threads, capacity: 1)
        ))
    }
    self.models = models
    vocabulary = models[0].1.rows.count
    logits = Array(repeating: [Float](repeating: 0, count: vocabulary), count: 2)
  }

  /// Compares the predictions at every token of a text, which both models read as the same tokens.
  mutating func add(_ text: UnsafeRawBufferPointer) throws(VDSQError) {
    var states: [[Float]] = []
    var ids: [Int32] = []
    for (encoder, _) in models {
      let (own, all) = try encoder.hiddenStates(of: text)
      ids = own
      states.append(Array(all.suffix(own.count * encoder.dimensions)))
    }
    for position in ids.indices {
      add(states, at: position, next: position + 1 < ids.count ? Int(ids[position + 1]) : nil)
    }
  }

  /// Compares predictions from states.
  ///
  /// - Parameters:
  ///   - states: `[count, dimensions]` of each model.
  ///   - next: the token that comes; nil if it is not known.
  mutating func add(_ states: [[Float]], at index: Int, next: Int?) {
    var best: [Int32] = []
    var totals: [Double] = []
    for (i, model) in models.enumerated() {
      let d = model.encoder.dimensions
      states[i].withUnsafeBufferPointer { states in
        logits[i].withUnsafeMutableBufferPointer { logits in
          model.head.find(
            states.baseAddress! + index * d, count: 1, temperature: 1, scores: logits.baseAddress!
          ) { best.append($1.id) }
        }
      }
      let most = Double(logits[i].max()!)
      totals.append(most + log(logits[i].reduce(0.0) { $0 + exp(Double($1) - most) }))
    }
    predictions += 1
    if best[0] == best[1] { same += 1 }
    for v in 0..<vocabulary {
      let expected = Double(logits[1][v]) - totals[1]
      divergence += exp(expected) * (expected - Double(logits[0][v]) + totals[0])
    }
    guard let next else { return }
    tokens += 1
    for i in 0..<2 { losses[i] += totals[i] - Double(logits[i][next]) }
  }

  /// What was found; nil if there were no predictions.
  var result: TokenFidelity? {
    guard predictions > 0 else { return nil }
    let count = Double(predictions)
    return TokenFidelity(
      predictions: predictions, sameShare: Double(same) / count,
      divergence: max(0, divergence / count),
      perplexity: tokens == 0
        ? nil
        : .init(
          model: exp(losses[0] / Double(tokens)), reference: exp(losses[1] / Double(tokens))))
  }
}
