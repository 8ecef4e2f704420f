package import VDSQFormat
package import VDSQKernels
package import VDSQSemantics

extension OnlineDiscriminant {
  /// The names of the additional tensors of an adapter that can learn further examples.
  package enum Name {
    package static let counts = "learning.counts"
    package static let sums = "learning.sums"
    package static let scatter = "learning.scatter"
    package static let scores = "learning.scores"
    package static let states = "learning.recent.states"
    package static let targets = "learning.recent.labels"
    package static let likelihoods = "learning.recent.scores"
    package static let stream = "learning.stream.states"
  }

  /// Writes an adapter that can learn further examples.
  ///
  /// - Throws: `usage` if it cannot be written.
  /// - Returns: as `adapter`.
  @discardableResult
  package func write(
    to path: String, modelIdentity: UInt32, replace: Bool
  ) throws(VDSQError) -> (adapter: Adapter, refusal: UnlabelledRefusal?) {
    let d = labels.dimensions
    let learned = try adapter(modelIdentity: modelIdentity)
    var file = learned.adapter.contents
    file.add(Name.counts, .float32(statistics.counts), shape: [labels.count])
    file.add(Name.sums, .float32(statistics.sums), shape: [labels.count, d])
    file.add(Name.scatter, .float32(triangle), shape: [d * (d + 1) / 2])
    file.add(Name.scores, .float32(scores), shape: [Self.scoreCount])
    if !recent.isEmpty {
      file.add(Name.states, .float32(recent.flatMap(\.state)), shape: [recent.count, d])
      file.add(
        Name.targets, .float32(recent.map { Float($0.target) }), shape: [recent.count])
      file.add(
        Name.likelihoods, .float32(recent.flatMap(\.scores)),
        shape: [recent.count, Self.scoreCount])
    }
    if stream.count > 0 {
      file.add(Name.stream, .float32(stream.rows), shape: [stream.count, d])
    }
    _ = try file.write(to: path, replace: replace)
    return learned
  }

  /// The rows of the scatter up to the diagonal.
  private var triangle: [Float] {
    let d = labels.dimensions
    return (0..<d).flatMap { statistics.scatter[$0 * d...$0 * (d + 1)] }
  }

  /// Reads what `write` wrote.
  ///
  /// - Throws: `missingInput` or `badInput` for the file; `badInput` if it was made for another
  ///   model, or cannot be learned on with.
  package init(path: String, model: Container, kernels: KernelTable) throws(VDSQError) {
    let file = try Container(path: path, kind: .adapter)
    let labels = try Adapter(file, model: model).labels
    guard file.find(Name.counts) != nil else {
      throw .badInput(
        "\(path): this adapter keeps nothing to learn on with; begin a new one"
      )
    }
    let d = labels.dimensions
    let counts = try file.finiteFloats(Name.counts, shape: [labels.count])
    guard counts.allSatisfy({ $0 >= 0 && $0 == $0.rounded() && $0 < 0x1p31 }) else {
      throw .badInput("\(path): tensor \(Name.counts) has a value that is no number of examples")
    }
    let triangle = try file.finiteFloats(Name.scatter, shape: [d * (d + 1) / 2])
    var scatter = [Float](repeating: 0, count: d * d)
    for j in 0..<d {
      let start = j * (j + 1) / 2
      for i in 0...j { scatter[j * d + i] = triangle[start + i] }
      guard scatter[j * d + j] >= 0 else {
        throw .badInput("\(path): tensor \(Name.scatter) has a negative square")
      }
    }
    try self.init(
      labels: labels,
      statistics: ClassStatistics(
        counts: counts, sums: try file.finiteFloats(Name.sums, shape: [labels.count, d]),
        scatter: scatter, dimensions: d),
      recent: try Self.recent(file, labels),
      scores: try file.finiteFloats(Name.scores, shape: [Self.scoreCount]),
      stream: try Self.stream(file, labels), kernels: kernels)
  }

  private static func stream(
    _ file: Container, _ labels: LabelSet
  ) throws(VDSQError) -> [Float] {
    guard let count = file.find(Name.stream)?.record.shape.first else { return [] }
    let most = Hyperparameters.Unlabelled.mostTexts
    guard count <= most else {
      throw .badInput("\(file.path): tensor \(Name.stream) has more than \(most) texts")
    }
    return try file.finiteFloats(Name.stream, shape: [count, labels.dimensions])
  }

  private static func recent(
    _ file: Container, _ labels: LabelSet
  ) throws(VDSQError) -> [Recent] {
    guard let count = file.find(Name.targets)?.record.shape.first else { return [] }
    guard count <= undoable else {
      throw .badInput("\(file.path): tensor \(Name.targets) has more than \(undoable) examples")
    }
    let d = labels.dimensions
    let states = try file.finiteFloats(Name.states, shape: [count, d])
    let targets = try file.finiteFloats(Name.targets, shape: [count])
    let scores = try file.finiteFloats(Name.likelihoods, shape: [count, scoreCount])
    guard targets.allSatisfy({ $0 >= 0 && $0 < Float(labels.count) && $0 == $0.rounded() }) else {
      throw .badInput("\(file.path): tensor \(Name.targets) has a value that is no label")
    }
    return targets.enumerated().map { i, target in
      Recent(
        state: Array(states[i * d..<(i + 1) * d]), target: Int(target),
        scores: Array(scores[i * scoreCount..<(i + 1) * scoreCount]))
    }
  }
}
