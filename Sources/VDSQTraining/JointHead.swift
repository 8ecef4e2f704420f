import VDSQFormat
import VDSQKernels
import VDSQSemantics

extension LabelPrior {
  /// A linear head beside which logistic regression and examples' votes were tried, and how much of each held-out
  /// examples like best.
  ///
  /// Class means with a shared covariance need few examples; regression needs no shape of the classes; votes need not
  /// even that a plane parts them. The first two are linear, and so is what they make together.
  struct JointHead {
    /// Below so many examples a label, neither has anything to add.
    private static let fewest = 8
    private static let strengths: [Float] = [10, 100]
    private static let shares: [Float] = [0, 0.25, 0.5, 0.75, 1]
    private static let temperatures: [Float] = [0.5, 0.7, 1, 1.4, 2]
    /// What linear logits are multiplied by beside votes, and votes.
    private static let factors: [Float] = [1, 0.7, 0.5, 0.25, 0]
    private static let votes: [Float] = [2, 4, 8, 16]
    /// How much likelier votes must make held-out examples: a few of those are chance.
    private static let threshold = 2.0

    let task: Task
    /// Numbers of a state that are the model's vector.
    let columns: Int
    let members: [Int]
    let folds: Folds
    let kernels: KernelTable

    /// Whether there are examples enough.
    static func isWorthTrying(_ task: Task) -> Bool {
      task.targets.count >= fewest * task.labels.count
    }

    /// What was chosen.
    struct Choice {
      /// Regression's strength and its share of the linear logits.
      var strength: Float = 0
      var share: Float = 0
      /// A factor of the linear logits.
      var factor: Float = 1
      var ridge: Float = 0
      /// A factor of the votes.
      var votes: Float = 0
    }

    /// What each member would answer them, were it not for it: `[members, labels]` in the folds' order.
    private struct HeldOut {
      var targets: [Int] = []
      var prior: [Float] = []
      /// By strength.
      var regression: [[Float]] = .init(repeating: [], count: JointHead.strengths.count)
      /// By ridge.
      var votes: [[Float]] = .init(repeating: [], count: KernelRidge.ridges.count)

      /// The targets' log-likelihood under `a * x + b * y`.
      func score(_ x: [Float], _ a: Float, _ y: [Float], _ b: Float) -> Double {
        let labels = x.count / targets.count
        var sum = 0.0
        for (i, target) in targets.enumerated() {
          let logits = (i * labels..<(i + 1) * labels).map { a * x[$0] + b * y[$0] }
          sum += LabelPrior.logLikelihood(logits, target, factor: 1)
        }
        return sum
      }
    }

    /// - Parameter prior: the discriminant's head, calibrated, from the examples that are not held out.
    func choose(
      _ prior: (_ training: [Int]) throws(VDSQError) -> LinearHead,
      _ report: (Double) -> Void
    ) throws(VDSQError) -> Choice {
      var held = HeldOut()
      for fold in 0..<LabelPrior.foldCount {
        let training = folds.training(without: fold).map { members[$0] }
        let examples = folds.heldOut(fold).map { members[$0] }
        held.targets += examples.map { task.targets[$0] }
        held.prior += logits(try prior(training), examples)
        var start: LinearHead?
        for (i, strength) in Self.strengths.enumerated() {
          start = regression(training, strength).train(from: start)
          held.regression[i] += logits(start!, examples)
        }
        report((Double(fold) + 0.5) / Double(LabelPrior.foldCount))
        for (i, head) in try ridge.train(training, ridges: KernelRidge.ridges).enumerated() {
          held.votes[i] += votes(head, examples)
        }
        report(Double(fold + 1) / Double(LabelPrior.foldCount))
      }
      return Self.best(held)
    }

    private static func best(_ held: HeldOut) -> Choice {
      var choice = Choice()
      var (best, linear) = (-Double.infinity, held.prior)
      for (i, strength) in strengths.enumerated() {
        for share in shares {
          for factor in temperatures {
            let score = held.score(
              held.prior, (1 - share) * factor, held.regression[i], share * factor)
            guard score > best else { continue }
            best = score
            (choice.strength, choice.share, choice.factor) = (strength, share, factor)
            linear = zip(held.prior, held.regression[i]).map {
              factor * ((1 - share) * $0 + share * $1)
            }
          }
        }
      }
      let whole = choice.factor
      for (i, ridge) in KernelRidge.ridges.enumerated() {
        for factor in factors {
          for votes in votes {
            let score = held.score(linear, factor, held.votes[i], votes)
            guard score > best + (choice.votes > 0 ? 0 : threshold) else { continue }
            best = score
            (choice.factor, choice.ridge, choice.votes) = (whole * factor, ridge, votes)
          }
        }
      }
      return choice
    }

    /// What was chosen, from all examples.
    func correction(
      _ prior: LinearHead, _ choice: Choice
    ) throws(VDSQError) -> (head: LinearHead, kernel: RBFVotes?) {
      let all = Array(task.targets.indices)
      var other = prior
      if choice.share > 0 {
        // From weak to strong, as it was tried.
        var start: LinearHead?
        for strength in Self.strengths where strength <= choice.strength {
          start = regression(all, strength).train(from: start)
        }
        other = start!
      }
      func mixed(_ a: [Float], _ b: [Float]) -> [Float] {
        zip(a, b).map { ((1 - choice.share) * $0 + choice.share * $1) * choice.factor }
      }
      let head = LinearHead(
        weights: mixed(prior.weights, other.weights), bias: mixed(prior.bias, other.bias))
      guard choice.votes > 0 else { return (head, nil) }
      return (head, try ridge.train(all, ridges: [choice.ridge])[0].scaled(by: choice.votes))
    }

    private var ridge: KernelRidge { KernelRidge(task: task, columns: columns, kernels: kernels) }

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
      let labels = task.labels.count
      var out = [Float](repeating: 0, count: held.count * labels)
      task.states.withUnsafeBufferPointer { states in
        out.withUnsafeMutableBufferPointer { out in
          for (i, example) in held.enumerated() {
            head.logits(
              states.baseAddress! + example * task.labels.dimensions, kernels,
              into: out.baseAddress! + i * labels)
          }
        }
      }
      return out
    }

    /// `[held, labels]`
    private func votes(_ head: RBFVotes, _ held: [Int]) -> [Float] {
      var out: [Float] = []
      var closeness = [Float](repeating: 0, count: head.count)
      for example in held {
        var row = [Float](repeating: 0, count: task.labels.count)
        task.states.withUnsafeBufferPointer { states in
          row.withUnsafeMutableBufferPointer {
            head.add(
              states.baseAddress! + example * task.labels.dimensions, kernels,
              closeness: &closeness, to: $0)
          }
        }
        out += row
      }
      return out
    }
  }
}
