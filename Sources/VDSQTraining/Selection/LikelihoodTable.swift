/// The log-likelihood of held-out examples under each candidate, at each temperature of its logits.
package struct LikelihoodTable {
  /// The kind of a candidate's prediction.
  package enum Prediction {
    /// One logit per label, divided by each of the temperatures.
    case logits(temperatures: [Float])
    case probabilities
    case logProbabilities
  }

  /// The best entry of a table.
  package struct Best {
    package let candidate: Int
    /// Index of the temperature.
    package let temperature: Int
    package let score: Double
  }

  package let prediction: Prediction
  /// `[candidates, temperatures]`, sums over examples.
  package private(set) var sums: [Double]

  package init(candidates: Int, _ prediction: Prediction) {
    self.prediction = prediction
    sums = [Double](repeating: 0, count: candidates * Self.temperatures(prediction))
  }

  package var temperatures: Int { Self.temperatures(prediction) }

  private static func temperatures(_ prediction: Prediction) -> Int {
    if case .logits(let temperatures) = prediction { temperatures.count } else { 1 }
  }

  /// Adds an example under one of the candidates.
  ///
  /// - Parameter output: the prediction of the candidate for each label.
  package mutating func add(_ candidate: Int, _ output: [Float], target: Int) {
    switch prediction {
    case .logits(let temperatures):
      for (i, temperature) in temperatures.enumerated() {
        sums[candidate * temperatures.count + i] += LogLikelihood.of(
          target, logits: output, temperature: temperature)
      }
    case .probabilities: sums[candidate] += LogLikelihood.of(target, probabilities: output)
    case .logProbabilities: sums[candidate] += Double(output[target])
    }
  }

  /// Adds the logarithm of the prior of the candidates.
  package mutating func addLogPrior(_ logPrior: (_ candidate: Int, _ temperature: Int) -> Double) {
    for i in sums.indices { sums[i] += logPrior(i / temperatures, i % temperatures) }
  }

  /// The entry with the highest likelihood; the first of several.
  package var best: Best {
    let i = sums.indices.max { sums[$0] < sums[$1] }!
    return Best(candidate: i / temperatures, temperature: i % temperatures, score: sums[i])
  }
}
