import VDSQKernels
import VDSQSemantics

extension Adapter {
  /// Whether the correction moves states before they are compared, whatever the label.
  var movesStates: Bool {
    if case .module = correction { true } else { false }
  }

  /// The direction in which the logit of a label grows fastest compared with another's: the gradient of
  /// their difference with respect to the state, or, for a residual module, the displacement of the state.
  ///
  /// - Parameters:
  ///   - state: the model's vector.
  ///   - columns: how many numbers of a state are the model's vector.
  /// - Returns: `columns` floats.
  func direction(
    toward label: Int, awayFrom other: Int, at state: [Float], columns: Int, kernels: KernelTable
  ) -> [Float] {
    let d = labels.dimensions
    return switch correction {
    case .head(let head): head.direction(label, other, columns: columns, dimensions: d)
    case .kernel(let head, let kernel):
      kernel.direction(
        label, other, at: state, kernels,
        from: head.direction(label, other, columns: columns, dimensions: d))
    case .neighbors(let neighbors):
      neighbors.direction(label, other, labels: labels.count, columns: columns, dimensions: d)
    case .module(let module): module.displacement(of: state)
    }
  }
}

extension LinearHead {
  fileprivate func direction(_ label: Int, _ other: Int, columns: Int, dimensions d: Int) -> [Float]
  {
    (0..<columns).map { weights[label * d + $0] - weights[other * d + $0] }
  }
}

extension KernelHead {
  /// Adds the gradient of the radial basis functions: each center contributes in proportion to its
  /// closeness and its coefficients.
  fileprivate func direction(
    _ label: Int, _ other: Int, at state: [Float], _ kernels: KernelTable, from linear: [Float]
  ) -> [Float] {
    var closeness = [Float](repeating: 0, count: count)
    self.closeness(state, kernels, into: &closeness)
    var direction = linear
    for i in closeness.indices {
      let pull = sharpness * closeness[i] * (votes[label * count + i] - votes[other * count + i])
      for j in direction.indices {
        direction[j] += pull * halfToFloat(centers[i * direction.count + j])
      }
    }
    return direction
  }
}

extension Neighbors {
  /// The difference of the sums of the labels' examples.
  fileprivate func direction(
    _ label: Int, _ other: Int, labels: Int, columns: Int, dimensions d: Int
  ) -> [Float] {
    var sums = [Float](repeating: 0, count: labels * d)
    for (example, target) in targets.enumerated() {
      for j in 0..<d { sums[target * d + j] += states[example * d + j] }
    }
    return (0..<columns).map { sums[label * d + $0] - sums[other * d + $0] }
  }
}

extension ResidualModule {
  /// The displacement of a state by the module.
  fileprivate func displacement(of state: [Float]) -> [Float] {
    let d = offset.count
    let inner = (0..<rank).map { r in
      (0..<d).reduce(Float(0)) { $0 + down[r * d + $1] * state[$1] }
    }
    return (0..<d).map { j in
      (0..<rank).reduce(offset[j]) { $0 + inner[$1] * up[$1 * d + j] }
    }
  }
}
