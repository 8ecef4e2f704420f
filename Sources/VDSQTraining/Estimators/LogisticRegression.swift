import Glibc
package import VDSQSemantics

/// Multinomial logistic regression by L-BFGS (Liu and Nocedal 1989). It minimises the sum of the
/// examples' losses times `strength`, plus half the squared weights, plus the squared biases
/// divided by twice their variance.
package struct LogisticRegression {
  private typealias Constants = Hyperparameters.Optimizer

  package let features: FeatureMatrix
  /// The label of each row.
  package let targets: [Int]
  /// The number of labels.
  package let labels: Int
  /// The indices of the training examples.
  package let members: [Int]
  package let strength: Float
  /// `[rows, labels]`: logits that the weights add to; nil for zeros.
  package var offsets: [Float]?
  /// The variance of the Gaussian prior of biases, before `strength` multiplies the losses;
  /// infinite for no prior.
  package var biasVariance = Float.infinity
  /// Training ends when an iteration lowers the loss by a smaller share; 0 for the tolerance of the
  /// gradient alone.
  package var lossTolerance = 0.0
  package let arithmetic: MatrixArithmetic

  package init(
    features: FeatureMatrix, targets: [Int], labels: Int, members: [Int], strength: Float,
    arithmetic: MatrixArithmetic
  ) {
    self.features = features
    self.targets = targets
    self.labels = labels
    self.members = members
    self.strength = strength
    self.arithmetic = arithmetic
  }

  package init(
    set: TrainingSet, members: [Int], strength: Float, arithmetic: MatrixArithmetic
  ) {
    self.init(
      features: set.features, targets: set.targets, labels: set.anchors.count, members: members,
      strength: strength, arithmetic: arithmetic)
  }

  /// - Parameter start: the starting point; nil for zeros.
  package func train(from start: LinearHead? = nil) -> LinearHead {
    let size = labels * features.columns
    // Weights, then biases.
    var point = (start?.weights ?? [Float](repeating: 0, count: size))
    point += start?.bias ?? [Float](repeating: 0, count: labels)
    var gradient = [Float](repeating: 0, count: point.count)
    let pass = RegressionPass(self)
    let curvature = RegressionCurvature(self)
    var value = loss(point, &gradient, pass)
    let enough = max(norm(gradient) * Constants.tolerance, Constants.leastGradient)
    var steps: [(s: [Float], y: [Float], rho: Float)] = []
    for _ in 0..<Constants.iterations where norm(gradient) > enough {
      let direction = direction(gradient, steps, curvature)
      let slope = dot(direction, gradient)
      guard slope < 0, slope.isFinite else { break }
      var length: Float = 1
      var next = point
      var nextGradient = gradient
      var nextValue = value
      var isLower = false
      for _ in 0..<Constants.halvings {
        for i in point.indices { next[i] = point[i] + length * direction[i] }
        nextValue = loss(next, &nextGradient, pass)
        isLower = nextValue <= value + Constants.sufficientDecrease * Double(length * slope)
        if isLower { break }
        length /= 2
      }
      guard isLower else { break }
      let s = direction.map { $0 * length }
      let y = zip(nextGradient, gradient).map { $0 - $1 }
      let product = dot(s, y)
      if product > Constants.leastCurvature {
        steps.append((s, y, 1 / product))
        if steps.count > Constants.history { steps.removeFirst() }
      }
      let isFlat = value - nextValue < lossTolerance * nextValue
      (point, gradient, value) = (next, nextGradient, nextValue)
      if isFlat { break }
    }
    return LinearHead(weights: Array(point[..<size]), bias: Array(point[size...]))
  }

  /// The loss, and its gradient.
  private func loss(
    _ point: [Float], _ gradient: inout [Float], _ pass: RegressionPass
  ) -> Double {
    let size = labels * features.columns
    var total = pass.run(point)
    for i in size..<point.count {
      let slope = point[i] / biasVariance
      gradient[i] = slope
      total += 0.5 * Double(point[i]) * Double(slope)
    }
    for i in 0..<size {
      gradient[i] = point[i]
      total += 0.5 * Double(point[i]) * Double(point[i])
    }
    pass.addGradient(to: &gradient)
    return total
  }

  /// The two-loop recursion.
  private func direction(
    _ gradient: [Float], _ steps: [(s: [Float], y: [Float], rho: Float)],
    _ curvature: RegressionCurvature?
  ) -> [Float] {
    var q = gradient
    var alphas: [Float] = []
    for step in steps.reversed() {
      let alpha = step.rho * dot(step.s, q)
      alphas.append(alpha)
      arithmetic.kernels.addScaled(-alpha, step.y, q.count, &q)
    }
    // The first estimate of the inverse: that of the shared curvature, or the identity, scaled by
    // the curvature along the last step.
    let scale: Float =
      if let last = steps.last {
        1 / (last.rho * (curvature?.squaredLength(last.y) ?? dot(last.y, last.y)))
      } else if curvature == nil { min(1, 1 / norm(gradient)) } else { 1 }
    curvature?.invert(&q)
    for i in q.indices { q[i] *= scale }
    for (step, alpha) in zip(steps, alphas.reversed()) {
      let beta = step.rho * dot(step.y, q)
      arithmetic.kernels.addScaled(alpha - beta, step.s, q.count, &q)
    }
    return q.map { -$0 }
  }

  private func dot(_ a: [Float], _ b: [Float]) -> Float {
    var result: Float = 0
    arithmetic.kernels.dotRows(a, b, 1, a.count, &result)
    return result
  }

  private func norm(_ a: [Float]) -> Float { dot(a, a).squareRoot() }
}
