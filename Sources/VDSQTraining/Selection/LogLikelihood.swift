import Glibc
import VDSQSemantics

/// Logarithms of the probabilities that a model gives to true labels, in nats.
package enum LogLikelihood {
  /// `log softmax(logits / temperature)[target]`.
  package static func of(_ target: Int, logits: [Float], temperature: Float = 1) -> Double {
    var probabilities = logits
    CosineLogits.softmax(&probabilities, temperature: temperature)
    return of(target, probabilities: probabilities)
  }

  /// `log probabilities[target]`, which `Hyperparameters.leastProbability` keeps finite.
  package static func of(_ target: Int, probabilities: [Float]) -> Double {
    Double(of(probabilities[target]))
  }

  /// A probability's logarithm.
  package static func of(_ probability: Float) -> Float {
    logf(max(probability, Hyperparameters.leastProbability))
  }
}
