import VDSQFormat
import VDSQKernels
import VDSQSemantics

extension LabelPrior {
  /// A linear head beside which logistic regression was tried, and how much of each held-out examples like best.
  ///
  /// Class means with a shared covariance need few examples; regression needs no shape of the classes. The logits of
  /// both are linear, and so is what they make together.
  struct JointHead {
    /// Below so many examples a label regression has nothing to add.
    private static let fewest = 8
    private static let strengths: [Float] = [10, 100]
    private static let shares: [Float] = [0, 0.25, 0.5, 0.75, 1]
    private static let temperatures: [Float] = [0.5, 0.7, 1, 1.4, 2]

    let task: Task
    let members: [Int]
    let folds: Folds
    let kernels: KernelTable

    /// Whether there are examples enough.
    static func isWorthTrying(_ task: Task) -> Bool {
      task.targets.count >= fewest * task.labels.count
    }

    /// What was chosen: regression's strength and share, and a factor of all logits.
    struct Choice {
      var strength: Float = 0
      var share: Float = 0
      var temperature: Float = 1
    }

    /// - Parameter prior: the discriminant's head, calibrated, from the examples that are not held out.
    func choose(
      _ prior: (_ training: [Int]) throws(VDSQError) -> LinearHead,
      _ report: (Double) -> Void
    ) throws(VDSQError) -> Choice {
      let count = Self.shares.count * Self.temperatures.count
      var scores = [Double](repeating: 0, count: Self.strengths.count * count)
      for fold in 0..<LabelPrior.foldCount {
        let training = folds.training(without: fold).map { members[$0] }
        let held = folds.heldOut(fold).map { members[$0] }
        let own = logits(try prior(training), held)
        var start: LinearHead?
        for (i, strength) in Self.strengths.enumerated() {
          start = regression(training, strength).train(from: start)
          score(own, logits(start!, held), held, into: &scores[i * count..<(i + 1) * count])
          report(
            Double(fold * Self.strengths.count + i + 1)
              / Double(LabelPrior.foldCount * Self.strengths.count))
        }
      }
      let best = scores.indices.max { scores[$0] < scores[$1] }!
      let rest = best % count
      return Choice(
        strength: Self.strengths[best / count],
        share: Self.shares[rest / Self.temperatures.count],
        temperature: Self.temperatures[rest % Self.temperatures.count])
    }

    /// The head that was chosen, from all examples.
    func head(_ prior: LinearHead, _ choice: Choice) -> LinearHead {
      var other = prior
      if choice.share > 0 {
        // From weak to strong, as it was tried.
        var start: LinearHead?
        for strength in Self.strengths where strength <= choice.strength {
          start = regression(Array(task.targets.indices), strength).train(from: start)
        }
        other = start!
      }
      func mixed(_ a: [Float], _ b: [Float]) -> [Float] {
        zip(a, b).map {
          ((1 - choice.share) * $0 + choice.share * $1) * choice.temperature
        }
      }
      return LinearHead(
        weights: mixed(prior.weights, other.weights), bias: mixed(prior.bias, other.bias))
    }

    private func regression(_ training: [Int], _ strength: Float) -> LogisticRegression {
      let d = task.labels.dimensions
      return LogisticRegression(
        data: .init(
          states: task.states, dimensions: d, targets: task.targets,
          labels: task.labels.count),
        members: training, strength: strength, kernels: kernels)
    }

    /// `[held, labels]`
    private func logits(_ head: LinearHead, _ held: [Int]) -> [Float] {
      let d = task.labels.dimensions, labels = task.labels.count
      var out = [Float](repeating: 0, count: held.count * labels)
      task.states.withUnsafeBufferPointer { states in
        out.withUnsafeMutableBufferPointer { out in
          for (i, example) in held.enumerated() {
            head.logits(
              states.baseAddress! + example * d, kernels, into: out.baseAddress! + i * labels)
          }
        }
      }
      return out
    }

    private func score(
      _ a: [Float], _ b: [Float], _ held: [Int], into scores: inout ArraySlice<Double>
    ) {
      let labels = task.labels.count
      for (i, example) in held.enumerated() {
        let row = i * labels
        for (s, share) in Self.shares.enumerated() {
          let mixed = (row..<row + labels).map { (1 - share) * a[$0] + share * b[$0] }
          for (t, temperature) in Self.temperatures.enumerated() {
            scores[scores.startIndex + s * Self.temperatures.count + t] +=
              LabelPrior.logLikelihood(mixed, task.targets[example], factor: temperature)
          }
        }
      }
    }
  }
}
