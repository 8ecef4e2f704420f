package import VDSQKernels

/// The log-likelihood of held-out examples under each candidate, at each temperature of its logits.
package struct LikelihoodTable {
  /// The kind of a candidate's prediction.
  package enum Prediction {
    /// One logit per label, divided by each of the temperatures.
    case logits(temperatures: [Float], KernelTable)
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
    if case .logits(let temperatures, _) = prediction { temperatures.count } else { 1 }
  }

  /// Adds examples under one of the candidates.
  ///
  /// - Parameters:
  ///   - outputs: `[examples, labels]`: the predictions of the candidate.
  ///   - targets: the label of each example.
  package mutating func add(_ candidate: Int, _ outputs: [Float], targets: [Int]) {
    guard !targets.isEmpty else { return }
    let labels = outputs.count / targets.count
    switch prediction {
    case .logits(let temperatures, let kernels):
      for (i, temperature) in temperatures.enumerated() {
        sums[candidate * temperatures.count + i] += LogLikelihood.of(
          targets, logits: outputs, temperature: temperature, kernels)
      }
    case .probabilities:
      for (i, target) in targets.enumerated() {
        sums[candidate] += Double(LogLikelihood.of(outputs[i * labels + target]))
      }
    case .logProbabilities:
      for (i, target) in targets.enumerated() {
        sums[candidate] += Double(outputs[i * labels + target])
      }
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
