import Glibc
package import VDSQFormat
import VDSQInference
package import VDSQKernels
package import VDSQSemantics

/// Maximum-a-posteriori logistic regression over a language model's states, with the label words as
/// prior (docs/few-shot.md, "Language models").
///
/// The LM head's rows of the label words are the prior mean of the weights, times a trust. Their
/// logits are also features of their own with a wide prior, so that a few examples can rescale
/// them, exchange labels, or overrule words that mislead. Hyperparameters are not selected but
/// averaged over, by their held-out likelihood.
package struct LabelWordRegression {
  private typealias Constants = Hyperparameters.LabelWords

  /// The hyperparameters of a candidate.
  package struct Candidate: Equatable {
    /// The factor of the label words' weights in the prior mean.
    package let trust: Float
    /// The prior variance of the weights of states, whose components have a mean square of 1.
    package let stateVariance: Float
    /// The prior variance of the weights of the label words' logits, scaled likewise.
    package let wordVariance: Float

    /// The logarithm of the prior of a candidate, up to a constant.
    var logPrior: Double {
      -Constants.doubt
        * Double(
          abs(log10f(stateVariance / Constants.expected.stateVariance))
            + abs(log10f(wordVariance / Constants.expected.wordVariance)))
        - (trust == Constants.expected.trust ? 0 : Constants.trustDoubt)
    }

    package init(trust: Float, stateVariance: Float, wordVariance: Float) {
      self.trust = trust
      self.stateVariance = stateVariance
      self.wordVariance = wordVariance
    }
  }

  package let set: TrainingSet
  package let arithmetic: MatrixArithmetic
  /// `[labels, columns]`: the label words' weights, centred over the labels.
  private let words: [Float]
  /// The state without a text.
  private let reference: [Float]

  /// Returns nil if the labels have no words of a language model.
  package init?(_ set: TrainingSet, arithmetic: MatrixArithmetic) {
    guard let head = set.anchors.wordHead else { return nil }
    self.init(set, words: head.centredWeights, reference: head.reference, arithmetic: arithmetic)
  }

  /// - Parameters:
  ///   - words: `[labels, columns]`: the label words' weights, centred over the labels.
  ///   - reference: `[columns]`: the state without a text; empty if it is unknown.
  package init(
    _ set: TrainingSet, words: [Float], reference: [Float], arithmetic: MatrixArithmetic
  ) {
    self.set = set
    self.arithmetic = arithmetic
    self.words = words
    self.reference = reference
  }

  /// The head of one candidate, trained on some of the examples.
  package func head(_ candidate: Candidate, _ training: [Int]) -> LinearHead {
    Space(set, training, words: words, reference: reference, arithmetic).fit(candidate)
  }

  /// Trains on all examples: the mean of all candidates' heads, weighted by their posterior.
  ///
  /// - Throws: `usage` if there are no examples.
  package func train(progress: ProgressSpan) throws(VDSQError) -> LinearHead {
    guard set.count > 0 else { throw .usage("there are no examples to learn from") }
    let all = Array(set.targets.indices)
    let weights = try posterior(progress.part(from: 0, to: 0.9))
    var mean: LinearHead?
    let space = Space(set, all, words: words, reference: reference, arithmetic)
    var total: Float = 0
    for (_, weight, _) in weights where weight >= Constants.leastWeight { total += weight }
    for (candidate, weight, scale) in weights where weight >= Constants.leastWeight {
      mean = LinearHead.sum(mean, space.fit(candidate), times: weight / total * scale)
    }
    progress.advance(to: 1)
    return mean!
  }

  /// Each candidate with its posterior probability and the best factor of its logits.
  private func posterior(
    _ progress: ProgressSpan
  ) throws(VDSQError) -> [(candidate: Candidate, weight: Float, scale: Float)] {
    let labels = set.anchors.count
    let members = set.spread(atMost: Constants.mostForChoosing)
    guard
      let validation = CrossValidation(
        targets: set.targets, labels: labels, folds: Hyperparameters.folds, members: members)
    else { return [(Constants.withoutFolds, 1, 1)] }
    let candidates = labels > Constants.mostLabels ? Constants.few : Constants.candidates
    let table = try validation.score(
      set.targets, labels: labels, candidates: candidates.count,
      .logits(temperatures: Constants.temperatures, arithmetic.kernels), progress: progress
    ) { (fold, evaluate, progress) throws(VDSQError) in
      let heldOut = set.features.gathered(fold.heldOut)
      let space = Space(set, fold.training, words: words, reference: reference, arithmetic)
      for (i, candidate) in candidates.enumerated() {
        let head = space.fit(candidate)
        evaluate(i, outputs: head.logits(heldOut, arithmetic))
        progress.advance(to: Double(i + 1) / Double(candidates.count))
      }
    }
    let count = table.temperatures
    var best: [(score: Double, scale: Float)] = []
    for (i, candidate) in candidates.enumerated() {
      let sums = table.sums[i * count..<(i + 1) * count]
      let place = sums.indices.max { sums[$0] < sums[$1] }!
      best.append(
        (
          Constants.evidenceShare * sums[place] + candidate.logPrior,
          1 / Constants.temperatures[place - i * count]
        ))
    }
    let highest = best.map(\.score).max()!
    let shares = best.map { exp($0.score - highest) }
    let sum = shares.reduce(0, +)
    return candidates.indices.map { (candidates[$0], Float(shares[$0] / sum), best[$0].scale) }
  }
}

/// The features of the examples of a fold: states about their centre, scaled to a mean square of 1,
/// and the label words' logits, scaled likewise.
private struct Space {
  let set: TrainingSet
  let members: [Int]
  let words: [Float]
  let arithmetic: MatrixArithmetic
  /// The mean of the labels' mean states.
  let centre: [Float]
  /// Where the label words' logits are zero: the centre with the reference as prior.
  let origin: [Float]
  /// The reciprocal root mean squares of states and of words' logits.
  var stateScale: Float = 1
  var wordScale: Float = 1
  /// `[rows, columns]` and `[rows, labels]`, of all rows of the set.
  private var states: [Float] = []
  private var logits: [Float] = []
  /// `[labels]`: the words' logits at the origin and at the centre.
  private var originLogits: [Float] = []
  private var centreLogits: [Float] = []

  init(
    _ set: TrainingSet, _ members: [Int], words: [Float], reference: [Float],
    _ arithmetic: MatrixArithmetic
  ) {
    self.set = set
    self.members = members
    self.words = words
    self.arithmetic = arithmetic
    let d = set.columns, labels = set.anchors.count
    let statistics = set.statistics(of: members, hasScatter: false, arithmetic)
    let seen = statistics.counts.count { $0 > 0 }
    var centre = [Float](repeating: 0, count: d)
    for (label, count) in statistics.counts.enumerated() where count > 0 {
      for j in 0..<d { centre[j] += statistics.sums[label * d + j] / (count * Float(seen)) }
    }
    self.centre = centre
    let count = Float(members.count), prior = Hyperparameters.LabelWords.referenceCount
    origin = (0..<d).map { j in
      let without = reference.isEmpty ? centre[j] : LabelWordsHead.referenceShare * reference[j]
      return (count * centre[j] + prior * without) / (count + prior)
    }
    originLogits = [Float](repeating: 0, count: labels)
    centreLogits = originLogits
    arithmetic.kernels.dotRows(origin, words, labels, d, &originLogits)
    arithmetic.kernels.dotRows(centre, words, labels, d, &centreLogits)
    states = [Float](repeating: 0, count: set.count * d)
    logits = [Float](repeating: 0, count: set.count * labels)
    var stateSquares: Float = 0, wordSquares: Float = 0
    for example in members {
      set.features.withRow(example) { row in
        for j in 0..<d { states[example * d + j] = row[j] - centre[j] }
      }
      states.withUnsafeBufferPointer { states in
        logits.withUnsafeMutableBufferPointer {
          arithmetic.kernels.dotRows(
            states.baseAddress! + example * d, words, labels, d,
            $0.baseAddress! + example * labels)
        }
      }
      for j in 0..<d { stateSquares += states[example * d + j] * states[example * d + j] }
      for k in 0..<labels {
        wordSquares += logits[example * labels + k] * logits[example * labels + k]
      }
    }
    // A single example lies at its own centre.
    if stateSquares > 0 { stateScale = (count * Float(d) / stateSquares).squareRoot() }
    if wordSquares > 0 { wordScale = (count * Float(labels) / wordSquares).squareRoot() }
  }

  /// Trains a candidate, and returns it as a head over whole states.
  func fit(_ candidate: LabelWordRegression.Candidate) -> LinearHead {
    let d = set.columns, labels = set.anchors.count
    let width = d + labels
    let a = stateScale * candidate.stateVariance.squareRoot()
    let b = wordScale * candidate.wordVariance.squareRoot()
    var values = [Float](repeating: 0, count: set.count * width)
    var offsets = [Float](repeating: 0, count: set.count * labels)
    for example in members {
      for j in 0..<d { values[example * width + j] = a * states[example * d + j] }
      for k in 0..<labels {
        let logit = logits[example * labels + k]
        values[example * width + d + k] = b * logit
        offsets[example * labels + k] =
          candidate.trust * (logit + centreLogits[k] - originLogits[k])
      }
    }
    var regression = LogisticRegression(
      features: FeatureMatrix(values, columns: width), targets: set.targets, labels: labels,
      members: members, strength: 1, arithmetic: arithmetic)
    regression.offsets = offsets
    regression.biasVariance = Hyperparameters.LabelWords.biasVariance
    let trained = regression.train()
    // Back to states: weights of states, and of words' logits, which are linear in the state.
    var weights = [Float](repeating: 0, count: labels * d)
    var bias = trained.bias
    weights.withUnsafeMutableBufferPointer { weights in
      words.withUnsafeBufferPointer { words in
        for label in 0..<labels {
          let row = weights.baseAddress! + label * d
          for j in 0..<d { row[j] = a * trained.weights[label * width + j] }
          for k in 0..<labels {
            let share =
              b * trained.weights[label * width + d + k] + (k == label ? candidate.trust : 0)
            arithmetic.kernels.addScaled(share, words.baseAddress! + k * d, d, row)
          }
        }
      }
    }
    for label in 0..<labels {
      // Features are about the centre, the offset about the origin.
      var atCentre: Float = 0
      for j in 0..<d { atCentre += weights[label * d + j] * centre[j] }
      bias[label] +=
        candidate.trust * (centreLogits[label] - originLogits[label]) - atCentre
    }
    return LinearHead(weights: weights, bias: bias)
  }
}
