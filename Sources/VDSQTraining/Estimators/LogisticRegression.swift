import Glibc
package import VDSQKernels
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
  package let kernels: KernelTable

  package init(
    features: FeatureMatrix, targets: [Int], labels: Int, members: [Int], strength: Float,
    kernels: KernelTable
  ) {
    self.features = features
    self.targets = targets
    self.labels = labels
    self.members = members
    self.strength = strength
    self.kernels = kernels
  }

  package init(set: TrainingSet, members: [Int], strength: Float, kernels: KernelTable) {
    self.init(
      features: set.features, targets: set.targets, labels: set.anchors.count, members: members,
      strength: strength, kernels: kernels)
  }

  /// - Parameter start: the starting point; nil for zeros.
  package func train(from start: LinearHead? = nil) -> LinearHead {
    let size = labels * features.columns
    // Weights, then biases.
    var point = (start?.weights ?? [Float](repeating: 0, count: size))
    point += start?.bias ?? [Float](repeating: 0, count: labels)
    var gradient = [Float](repeating: 0, count: point.count)
    var value = loss(point, &gradient)
    let enough = max(norm(gradient) * Constants.tolerance, Constants.leastGradient)
    var steps: [(s: [Float], y: [Float], rho: Float)] = []
    for _ in 0..<Constants.iterations where norm(gradient) > enough {
      let direction = direction(gradient, steps)
      let slope = dot(direction, gradient)
      guard slope < 0, slope.isFinite else { break }
      var length: Float = steps.isEmpty ? min(1, 1 / norm(gradient)) : 1
      var next = point
      var nextGradient = gradient
      var nextValue = value
      var isLower = false
      for _ in 0..<Constants.halvings {
        for i in point.indices { next[i] = point[i] + length * direction[i] }
        nextValue = loss(next, &nextGradient)
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
      (point, gradient, value) = (next, nextGradient, nextValue)
    }
    return LinearHead(weights: Array(point[..<size]), bias: Array(point[size...]))
  }

  /// The loss, and its gradient.
  private func loss(_ point: [Float], _ gradient: inout [Float]) -> Double {
    let d = features.columns
    let size = labels * d
    for i in 0..<size { gradient[i] = point[i] }
    var total = 0.0
    for i in size..<point.count {
      gradient[i] = point[i] / biasVariance
      total += 0.5 * Double(point[i]) * Double(gradient[i])
    }
    for i in 0..<size { total += 0.5 * Double(point[i]) * Double(point[i]) }
    var probabilities = [Float](repeating: 0, count: labels)
    features.values.withUnsafeBufferPointer { states in
      point.withUnsafeBufferPointer { point in
        gradient.withUnsafeMutableBufferPointer { gradient in
          for example in members {
            let state = states.baseAddress! + example * d
            kernels.dotRows(state, point.baseAddress!, labels, d, &probabilities)
            for label in 0..<labels {
              probabilities[label] += point[size + label]
              if let offsets { probabilities[label] += offsets[example * labels + label] }
            }
            CosineLogits.softmax(&probabilities, temperature: 1)
            let target = targets[example]
            total -=
              Double(strength)
              * log(Double(max(probabilities[target], Hyperparameters.leastProbability)))
            for label in 0..<labels {
              let share = strength * (probabilities[label] - (label == target ? 1 : 0))
              // For most examples, most labels have a negligible probability.
              guard share.magnitude > Constants.negligibleError * strength else { continue }
              kernels.addScaled(share, state, d, gradient.baseAddress! + label * d)
              gradient[size + label] += share
            }
          }
        }
      }
    }
    return total
  }

  /// The two-loop recursion.
  private func direction(
    _ gradient: [Float], _ steps: [(s: [Float], y: [Float], rho: Float)]
  ) -> [Float] {
    var q = gradient
    var alphas: [Float] = []
    for step in steps.reversed() {
      let alpha = step.rho * dot(step.s, q)
      alphas.append(alpha)
      kernels.addScaled(-alpha, step.y, q.count, &q)
    }
    if let last = steps.last {
      let scale = 1 / (last.rho * dot(last.y, last.y))
      for i in q.indices { q[i] *= scale }
    }
    for (step, alpha) in zip(steps, alphas.reversed()) {
      let beta = step.rho * dot(step.y, q)
      kernels.addScaled(alpha - beta, step.s, q.count, &q)
    }
    return q.map { -$0 }
  }

  private func dot(_ a: [Float], _ b: [Float]) -> Float {
    var result: Float = 0
    kernels.dotRows(a, b, 1, a.count, &result)
    return result
  }

  private func norm(_ a: [Float]) -> Float { dot(a, a).squareRoot() }
}
