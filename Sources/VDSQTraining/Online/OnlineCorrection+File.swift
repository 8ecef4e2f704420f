package import VDSQFormat
package import VDSQKernels
package import VDSQSemantics

extension OnlineCorrection {
  /// The names of the additional tensors of a corrected adapter.
  private enum Name {
    static let weights = "learning.weight"
    static let bias = "learning.bias"
    static let covariance = "learning.covariance"
    static let mean = "learning.mean"
    static let square = "learning.square"
    static let counts = "learning.counts"
    static let states = "learning.recent.states"
    static let targets = "learning.recent.labels"
  }

  /// Writes an adapter that can learn further examples.
  ///
  /// - Throws: `usage` if it cannot be written.
  /// - Returns: the adapter.
  @discardableResult
  package func write(to path: String, replace: Bool) throws(VDSQError) -> Adapter {
    let (d, columns) = (weights.dimensions, weights.columns)
    let adapter = corrected()
    var file = adapter.contents
    file.add(Name.weights, .float32(weights.head.weights), shape: [labels.count, d])
    file.add(Name.bias, .float32(weights.head.bias), shape: [labels.count])
    file.add(Name.covariance, .float32(triangle), shape: [columns * (columns + 1) / 2])
    file.add(Name.mean, .float32(weights.mean), shape: [columns])
    file.add(Name.square, .float32([weights.square]), shape: [1])
    file.add(Name.counts, .float32(counts.map(Float.init)), shape: [labels.count])
    if !recent.isEmpty {
      file.add(Name.states, .float32(recent.flatMap(\.state)), shape: [recent.count, d])
      file.add(Name.targets, .float32(recent.map { Float($0.target) }), shape: [recent.count])
    }
    _ = try file.write(to: path, replace: replace)
    return adapter
  }

  /// The rows of the covariance up to the diagonal.
  private var triangle: [Float] {
    let columns = weights.columns
    return (0..<columns).flatMap { weights.covariance[$0 * columns...$0 * (columns + 1)] }
  }

  /// Reads what `write` wrote, or begins with an adapter of `vdsq adapt`.
  ///
  /// - Throws: `badInput` if a tensor does not match the format; `usage` if the adapter's head is
  ///   no linear one.
  package init(
    _ file: Container, _ adapter: Adapter, kernels: KernelTable
  ) throws(VDSQError) {
    // Refuses adapters that cannot be corrected.
    let fresh = try Self(adapter, path: file.path, kernels: kernels)
    guard file.find(Name.covariance) != nil else {
      self = fresh
      return
    }
    let (labels, d) = (adapter.labels, adapter.labels.dimensions)
    let columns = d / (adapter.intermediateFeatures.count + 1)
    let triangle = try file.finiteFloats(Name.covariance, shape: [columns * (columns + 1) / 2])
    var covariance = [Float](repeating: 0, count: columns * columns)
    for j in 0..<columns {
      for i in 0...j {
        covariance[j * columns + i] = triangle[j * (j + 1) / 2 + i]
        covariance[i * columns + j] = covariance[j * columns + i]
      }
    }
    let counts = try file.finiteFloats(Name.counts, shape: [labels.count])
    guard counts.allSatisfy({ $0 >= 0 && $0 == $0.rounded() && $0 < 0x1p31 }) else {
      throw .badInput(
        "\(file.path): tensor \(Name.counts) has a value that is no number of examples")
    }
    let folded = counts.map { Int($0) }
    let square = try file.finiteFloats(Name.square, shape: [1])[0]
    guard square > 0 || folded.allSatisfy({ $0 == 0 }) else {
      throw .badInput("\(file.path): tensor \(Name.square) is not above 0")
    }
    let weights = CorrectedWeights(
      LinearHead(
        weights: try file.finiteFloats(Name.weights, shape: [labels.count, d]),
        bias: try file.finiteFloats(Name.bias, shape: [labels.count])),
      covariance: covariance, mean: try file.finiteFloats(Name.mean, shape: [columns]),
      count: folded.reduce(0, +), square: square,
      dimensions: d)
    self.init(
      adapter, weights: weights, counts: folded, recent: try Self.recent(file, labels),
      kernels: kernels)
  }

  private static func recent(
    _ file: Container, _ labels: LabelSet
  ) throws(VDSQError) -> [Recent] {
    guard let count = file.find(Name.targets)?.record.shape.first else { return [] }
    guard count <= OnlineDiscriminant.undoable else {
      throw .badInput(
        "\(file.path): tensor \(Name.targets) has more than \(OnlineDiscriminant.undoable) examples"
      )
    }
    let d = labels.dimensions
    let states = try file.finiteFloats(Name.states, shape: [count, d])
    let targets = try file.finiteFloats(Name.targets, shape: [count])
    guard targets.allSatisfy({ $0 >= 0 && $0 < Float(labels.count) && $0 == $0.rounded() }) else {
      throw .badInput("\(file.path): tensor \(Name.targets) has a value that is no label")
    }
    return targets.enumerated().map { i, target in
      Recent(state: Array(states[i * d..<(i + 1) * d]), target: Int(target))
    }
  }
}
