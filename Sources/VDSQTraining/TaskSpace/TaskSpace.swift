package import VDSQFormat
package import VDSQInference

/// How a step for one task changes others, to first order (Weber et al. 2024; docs/tasks.md):
///
///     T_AB = -rate_A <M_A g_A, g_B>,   rate_A = step |W| / |M_A g_A|
///
/// g is a task's gradient differential, M the mask of its largest entries, W the weights of the
/// chosen down projections. T_AB is the change of B's mean `L(good) - L(bad)` in nats, so numbers
/// below 0 are better.
package struct TaskSpace: Sendable {
  /// A task.
  package struct Task: Sendable {
    package let name: String
    /// The name of the group it belongs to; nil for none.
    package let group: String?
    /// The number of pairs.
    package let pairs: Int
    /// `|g|`, and `|M g|`.
    package let norm, maskedNorm: Double
    /// The factor of the step.
    package let rate: Double
  }

  package let tasks: [Task]
  /// `[tasks][tasks]`: T_AB, a row for each A.
  package let transfer: [[Double]]
  /// The symmetric similarity of two tasks, -1 to 1:
  /// the mean of `<M_A g_A, g_B> / sqrt(<M_A g_A, g_A> <M_B g_B, g_B>)` both ways round.
  package let similarity: [[Double]]
  /// The masks, in the order of the tasks.
  package let masks: [GradientMask]
  /// The chosen layers, from 0, and the length of their weights, |W|.
  package let layers: [Int]
  package let weightNorm: Double

  /// The pairs of each task, in the order in which tasks first occur.
  package static func grouped(_ pairs: [MinimalPair]) -> [[MinimalPair]] {
    var places: [ByteString: Int] = [:]
    var tasks: [[MinimalPair]] = []
    for pair in pairs {
      let name = ByteString(pair.task)
      if places[name] == nil {
        places[name] = tasks.count
        tasks.append([])
      }
      tasks[places[name]!].append(pair)
    }
    return tasks
  }

  /// Computes all gradients twice: first the masks, then the products with them, so that the
  /// gradient of one task is in memory at a time.
  ///
  /// - Parameters:
  ///   - tasks: the pairs of each task.
  ///   - share: the share of entries that a mask keeps, above 0 and at most 1.
  ///   - step: the length of a step as a share of the length of the weights, above 0.
  ///   - progress: called with the number of computed gradients, of twice as many as tasks.
  /// - Throws: `badInput` if the model's weights cannot be read, or a gradient is not finite or 0.
  package init(
    _ tasks: [[MinimalPair]], gradients: TaskGradients, container: Container, share: Double,
    step: Double, progress: (Int) -> Void = { _ in }
  ) throws(VDSQError) {
    layers = gradients.layers
    weightNorm = try Self.norm(of: layers, container, releases: gradients.releases)
    var masks: [GradientMask] = []
    var described: [Task] = []
    var own: [Double] = []
    for (index, pairs) in tasks.enumerated() {
      try gradients.compute(pairs)
      let mask = GradientMask(gradients.sums, share: share)
      let square = Self.square(gradients.sums)
      let masked = mask.square.squareRoot()
      guard square.isFinite, masked > 0 else {
        throw .badInput("the gradient of the task \(pairs[0].task) is 0 or not finite")
      }
      described.append(
        Task(
          name: pairs[0].task, group: pairs[0].group, pairs: pairs.count,
          norm: square.squareRoot(), maskedNorm: masked, rate: step * weightNorm / masked))
      own.append(mask.square)
      masks.append(mask)
      progress(index + 1)
    }
    // products[A][B] = <M_A g_A, g_B>
    var products = masks.map { _ in [Double](repeating: 0, count: tasks.count) }
    for (b, pairs) in tasks.enumerated() {
      try gradients.compute(pairs)
      for a in masks.indices { products[a][b] = masks[a].product(gradients.sums) }
      progress(tasks.count + b + 1)
    }
    self.masks = masks
    self.tasks = described
    transfer = products.indices.map { a in products[a].map { -described[a].rate * $0 } }
    similarity = products.indices.map { a in
      products.indices.map { b in
        let length = (own[a] * own[b]).squareRoot()
        return max(-1, min(1, (products[a][b] + products[b][a]) / (2 * length)))
      }
    }
  }

  private static func square(_ sums: [Floats]) -> Double {
    var square = 0.0
    for sum in sums {
      for i in 0..<sum.count { square += Double(sum.p[i]) * Double(sum.p[i]) }
    }
    return square
  }

  /// The length of the weights of some down projections.
  ///
  /// - Parameter releases: whether layers are released behind a pass.
  private static func norm(
    of layers: [Int], _ container: Container, releases: Bool
  ) throws(VDSQError) -> Double {
    let c = try Architecture(container.metadata)
    var square = 0.0
    var row: [Float] = []
    for layer in layers {
      let rows = try StoredRows(
        container, "layer.\(c.storedLayer(of: layer)).feed_forward.down.weight")
      for i in 0..<c.hiddenSize {
        rows.row(i, into: &row)
        for value in row { square += Double(value) * Double(value) }
        if releases { rows.release(before: i + 1) }
      }
      if releases { rows.release() }
    }
    return square.squareRoot()
  }

  /// The step of a task as updates of neurons.
  package func updates(of task: Int, _ c: Architecture) -> NeuronUpdates {
    let (d, m) = (c.hiddenSize, c.intermediateSize)
    let mask = masks[task], rate = Float(tasks[task].rate)
    return NeuronUpdates(
      layers.indices.map { index in
        var places = [Int](repeating: -1, count: m)
        for place in mask.places[index] { places[Int(place) % m] = 0 }
        var neurons: [Int32] = []
        for column in 0..<m where places[column] == 0 {
          places[column] = neurons.count
          neurons.append(Int32(column))
        }
        var vectors = [Float](repeating: 0, count: neurons.count * d)
        for (place, value) in zip(mask.places[index], mask.values[index]) {
          vectors[places[Int(place) % m] * d + Int(place) / m] = -rate * value
        }
        return NeuronUpdates.Layer(layer: layers[index], neurons: neurons, vectors: vectors)
      })
  }
}
