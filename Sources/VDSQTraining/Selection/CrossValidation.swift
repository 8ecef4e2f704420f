package import VDSQFormat

/// K-fold cross-validation: examples are held out in turn, each label spread over all folds.
///
/// A method trains on each fold's training examples and gives one predictor a candidate:
///
///     let table = try validation.score(
///       targets, labels: 3, candidates: strengths.count,
///       .logits(temperatures: [0.5, 1, 2], kernels)
///     ) { (fold, evaluate, progress) throws(VDSQError) in
///       for (i, strength) in strengths.enumerated() {
///         let head = train(fold.training, strength)
///         try evaluate(i) { example, logits in head.logits(features[example], into: &logits) }
///       }
///     }
///     let strength = strengths[table.best.candidate]
package struct CrossValidation {
  /// Indices of examples.
  package struct Fold {
    package let training: [Int]
    package let heldOut: [Int]
  }

  /// Writes the prediction of a candidate for each label of a held-out example.
  package typealias Predict = (_ example: Int, _ output: inout [Float]) throws(VDSQError) -> Void

  /// Takes the predictions of candidates, which were trained without the examples that a fold holds
  /// out, for these examples.
  package struct Evaluate {
    fileprivate let heldOut: [Int]
    fileprivate let labels: Int
    fileprivate let take: (_ candidate: Int, _ outputs: [Float]) -> Void

    /// Predicts one example after another.
    package func callAsFunction(_ candidate: Int, _ predict: Predict) throws(VDSQError) {
      var outputs: [Float] = []
      outputs.reserveCapacity(heldOut.count * labels)
      var output = [Float](repeating: 0, count: labels)
      for example in heldOut {
        for label in output.indices { output[label] = 0 }
        try predict(example, &output)
        outputs += output
      }
      take(candidate, outputs)
    }

    /// Takes the predictions for all examples that the fold holds out.
    ///
    /// - Parameter outputs: `[heldOut.count, labels]`.
    package func callAsFunction(_ candidate: Int, outputs: [Float]) {
      take(candidate, outputs)
    }
  }

  package let folds: [Fold]

  private init(folds: [Fold]) { self.folds = folds }

  /// Divides examples into folds.
  ///
  /// Returns nil if a label has a single example, because the label would be unknown without it.
  ///
  /// - Parameters:
  ///   - targets: each example's label.
  ///   - members: the examples that take part; nil for all of them.
  package init?(targets: [Int], labels: Int, folds count: Int, members: [Int]? = nil) {
    let members = members ?? Array(targets.indices)
    var seen = [Int](repeating: 0, count: labels)
    let fold = members.map { member in
      let target = targets[member]
      seen[target] += 1
      return (seen[target] - 1 + target) % count
    }
    guard !seen.contains(1) else { return nil }
    folds = (0..<count).compactMap { held in
      let places = members.indices
      let heldOut = places.filter { fold[$0] == held }
      guard !heldOut.isEmpty else { return nil }
      return Fold(
        training: places.filter { fold[$0] != held }.map { members[$0] },
        heldOut: heldOut.map { members[$0] })
    }
  }

  /// Each of some examples is held out alone, for predictors that leave out an example by
  /// themselves.
  package static func leaveOneOut(_ members: [Int]) -> CrossValidation {
    CrossValidation(folds: [Fold(training: members, heldOut: members)])
  }

  /// The log-likelihood of held-out examples under each candidate.
  ///
  /// - Parameters:
  ///   - targets: each example's label.
  ///   - candidates: the number of candidates.
  ///   - prediction: what predictors fill in, and the temperatures that are tried.
  ///   - fit: trains on a fold's training examples and evaluates every candidate once.
  package func score(
    _ targets: [Int], labels: Int, candidates: Int, _ prediction: LikelihoodTable.Prediction,
    progress: ProgressSpan = .silent,
    fit: (_ fold: Fold, _ evaluate: Evaluate, _ progress: ProgressSpan) throws(VDSQError) -> Void
  ) throws(VDSQError) -> LikelihoodTable {
    var table = LikelihoodTable(candidates: candidates, prediction)
    try predict(labels: labels, progress, fit) { candidate, fold, outputs in
      table.add(candidate, outputs, targets: fold.heldOut.map { targets[$0] })
    }
    return table
  }

  /// The predictions of each candidate for all examples, each held out.
  ///
  /// - Parameters: as above.
  package func predictions(
    _ targets: [Int], labels: Int, candidates: Int, progress: ProgressSpan = .silent,
    fit: (_ fold: Fold, _ evaluate: Evaluate, _ progress: ProgressSpan) throws(VDSQError) -> Void
  ) throws(VDSQError) -> HeldOutLogits {
    var logits = [[Float]](repeating: [], count: candidates)
    try predict(labels: labels, progress, fit) { candidate, _, outputs in
      logits[candidate] += outputs
    }
    return HeldOutLogits(
      targets: folds.flatMap { $0.heldOut.map { targets[$0] } }, candidates: logits)
  }

  private func predict(
    labels: Int, _ progress: ProgressSpan,
    _ fit: (_ fold: Fold, _ evaluate: Evaluate, _ progress: ProgressSpan) throws(VDSQError) -> Void,
    _ take: @escaping (_ candidate: Int, _ fold: Fold, _ outputs: [Float]) -> Void
  ) throws(VDSQError) {
    for (i, fold) in folds.enumerated() {
      let evaluate = Evaluate(heldOut: fold.heldOut, labels: labels) { take($0, fold, $1) }
      try fit(fold, evaluate, progress.part(i, of: folds.count))
      progress.advance(to: Double(i + 1) / Double(folds.count))
    }
  }
}
