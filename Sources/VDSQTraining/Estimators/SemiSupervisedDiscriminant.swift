package import VDSQFormat
package import VDSQSemantics

/// Linear discriminant analysis with texts that have no labels, by expectation-maximisation
/// (Dempster et al. 1977; weighted as by Nigam et al. 2000).
///
/// The E-step gives each text a share in every label, by the head so far. The M-step takes the
/// shares as examples of a small weight, beside the labelled ones and the prior means.
/// docs/few-shot.md has the formulas and the evidence.
package struct SemiSupervisedDiscriminant {
  private typealias Constants = Hyperparameters.Unlabelled

  /// What the texts lead to.
  package enum Outcome {
    case head(LinearHead)
    case refused(UnlabelledRefusal)
  }

  private let labels: LabelSet
  /// `[texts, columns]`, about `centre`.
  private let rows: [Float]
  private let centre: [Float]
  private let arithmetic: MatrixArithmetic

  /// - Parameters:
  ///   - labels: the labels, whose anchors have the columns of the texts.
  ///   - texts: the states of texts without labels, at least one.
  package init(_ labels: LabelSet, texts: FeatureMatrix, _ arithmetic: MatrixArithmetic) {
    self.labels = labels
    self.arithmetic = arithmetic
    let d = texts.columns
    var rows = texts.gathered(Array(0..<texts.rows))
    var centre = [Float](repeating: 0, count: d)
    for start in stride(from: 0, to: rows.count, by: d) {
      for j in 0..<d { centre[j] += rows[start + j] / Float(texts.rows) }
    }
    for i in rows.indices { rows[i] -= centre[i % d] }
    (self.rows, self.centre) = (rows, centre)
  }

  /// A head that the texts move away from another, which was trained on labelled examples.
  ///
  /// - Parameters:
  ///   - labelled: of the labelled examples, with the columns of the texts.
  ///   - prior: the class means before the examples.
  ///   - start: the head so far, whose logits are calibrated.
  ///   - priorCount: the number of examples that a trusted prior mean counts for.
  /// - Throws: `internalFault` if states are not finite.
  package func head(
    _ labelled: ClassStatistics, _ prior: AnchorPrior, start: LinearHead, priorCount: Float
  ) throws(VDSQError) -> Outcome {
    let moved = start.shifted(by: centre, arithmetic)
    return try refined(
      moved, first: moved, labelled.moved(by: centre), prior, priorCount: priorCount)
  }

  /// A head from label words and texts without labels alone.
  ///
  /// - Throws: `internalFault` if states are not finite.
  package func head() throws(VDSQError) -> Outcome {
    let d = centre.count
    let square = rows.reduce(0) { $0 + $1 * $1 } / Float(rows.count / d)
    let prior = AnchorPrior(labels, meanSquare: square)
    // Before there is a covariance, it is a sphere.
    let variance = max(square, .leastNormalMagnitude) / Float(d)
    let sphere = LinearHead(
      weights: prior.means.map { $0 / variance },
      bias: (0..<labels.count).map { label in
        -prior.means[label * d..<(label + 1) * d].reduce(0) { $0 + $1 * $1 } / (2 * variance)
      })
    // Cosines, as without the texts. States of sentence encoders differ little in length.
    let length = (square + centre.reduce(0) { $0 + $1 * $1 }).squareRoot()
    let cosines = LinearHead(
      weights: labels.anchors.map { $0 / (length * Classifier.defaultTemperature) },
      bias: [Float](repeating: 0, count: labels.count)
    ).shifted(by: centre, arithmetic)
    return try refined(
      cosines, first: sphere, ClassStatistics(labels: labels.count, dimensions: d), prior,
      priorCount: Constants.priorCount)
  }

  /// - Parameters:
  ///   - start: the head without the texts.
  ///   - first: the head of the first E-step.
  private func refined(
    _ start: LinearHead, first: LinearHead, _ labelled: ClassStatistics, _ prior: AnchorPrior,
    priorCount: Float
  ) throws(VDSQError) -> Outcome {
    let d = centre.count, count = rows.count / d
    guard labels.count <= Constants.mostLabels else {
      return .refused(.moreLabelsThan(Constants.mostLabels))
    }
    let least = Constants.leastTexts(labels: labels.count)
    guard count >= least else { return .refused(.fewerThan(least)) }
    let before = shares(start)
    if labels.count == 2 {
      let share = Float((0..<count).count { before[2 * $0] >= before[2 * $0 + 1] }) / Float(count)
      guard abs(share - 0.5) <= Constants.mostUneven else {
        return .refused(.uneven(share: share))
      }
    }
    var products = [Float](repeating: 0, count: d * d)
    products.withUnsafeMutableBufferPointer {
      arithmetic.addProducts(of: rows, rows: count, columns: d, to: $0.baseAddress!)
    }
    var head = first
    for _ in 0..<Constants.rounds(labels: labels.count) {
      let statistics = labelled.adding(
        rows, shares: shares(head), weight: Constants.weight, products: products, arithmetic)
      head = try GaussianClasses(prior, statistics, priorCount: priorCount)
        .linearHead(shrinkageCount: Constants.shrinkageCount, arithmetic)
    }
    return .head(
      tempered(head, to: confidence(before)).shifted(by: centre.map { -$0 }, arithmetic))
  }

  /// `[texts, labels]`: the probability of each label, given a text.
  private func shares(_ head: LinearHead) -> [Float] { softmax(head.logits(rows, arithmetic)) }

  /// - Parameters:
  ///   - logits: `[texts, labels]`.
  ///   - scale: the factor of the logits.
  private func softmax(_ logits: [Float], scale: Float = 1) -> [Float] {
    var shares = logits
    let count = labels.count
    shares.withUnsafeMutableBufferPointer {
      arithmetic.kernels.softmax(
        $0.baseAddress!, count, logits.count / count, count, scale)
    }
    return shares
  }

  /// The mean probability of the most probable label.
  private func confidence(_ shares: [Float]) -> Float {
    let count = labels.count
    return stride(from: 0, to: shares.count, by: count).reduce(0) {
      $0 + shares[$1..<$1 + count].max()!
    } / Float(shares.count / count)
  }

  /// The head with logits that are as confident about the texts as a calibrated head is. A
  /// covariance that is estimated from shares makes labels look further apart than they are.
  private func tempered(_ head: LinearHead, to target: Float) -> LinearHead {
    let logits = head.logits(rows, arithmetic)
    var (low, high): (Float, Float) = (1e-3, 10)
    for _ in 0..<20 {
      let scale = (low * high).squareRoot()
      if confidence(softmax(logits, scale: scale)) < target { low = scale } else { high = scale }
    }
    return head.scaled(by: (low * high).squareRoot())
  }
}

extension LinearHead {
  /// The head for states from which a vector has been subtracted.
  fileprivate func shifted(by vector: [Float], _ arithmetic: MatrixArithmetic) -> LinearHead {
    let offsets = logits(vector, arithmetic)
    return LinearHead(weights: weights, bias: offsets)
  }
}
