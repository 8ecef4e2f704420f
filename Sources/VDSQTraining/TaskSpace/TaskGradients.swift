import VDSQ
package import VDSQFormat
package import VDSQInference

/// The gradient differential of a task: the mean over its minimal pairs of the gradient of
/// `L(good) - L(bad)` with respect to the weights of down projections, where L(x) = -log p(x)
/// (docs/tasks.md). A step against it makes right texts likelier beside the others.
package final class TaskGradients {
  private let encoder: TextEncoder
  private let tape: DecoderTape
  private let beginning: Int32
  private let states: Floats
  /// For each chosen layer, `[hiddenSize, intermediateSize]`.
  package let sums: [Floats]
  private var batch = TokenBatch()
  private var targets: [Int32] = []
  private var weights: [Float] = []

  /// The number of tokens of a batch.
  package static let batchTokens = 256

  /// The number of tokens of a batch, of texts of at most so many.
  private static func tokens(_ longest: Int) -> Int { max(batchTokens, longest) }

  /// The bytes that gradients take beside the model.
  package static func bytes(
    _ c: Architecture, layers: [Int], longest: Int, threads: Int
  ) -> Int {
    DecoderTape.bytes(
      c, chosen: layers, tokens: tokens(longest), longest: longest, threads: threads)
  }

  /// - Parameters:
  ///   - encoder: a causal language model, with room for a batch (`options`).
  ///   - layers: the layers with gradients, from 0, in ascending order.
  /// - Throws: `badInput` for another model, or one that is not differentiated; `usage` if its
  ///   layers are streamed.
  package init(_ encoder: TextEncoder, layers: [Int]) throws(VDSQError) {
    self.encoder = encoder
    guard encoder.policy != .stream else {
      // Streamed weights are not in the map, where the tape reads them.
      throw .usage("stream: gradients need several layers at a time; try release", .memoryPolicy)
    }
    guard let beginning = try encoder.firstToken() else {
      throw .badInput(
        "\(encoder.container.path): the file does not say with which token texts begin; convert the "
          + "checkpoint again")
    }
    self.beginning = beginning
    let tape = try DecoderTape(
      encoder.container, kernels: encoder.kernels, threads: encoder.threads, chosen: layers,
      tokens: min(Self.tokens(encoder.maximumTokens), encoder.batchCapacity.tokens),
      longest: encoder.maximumTokens, releases: encoder.policy == .release)
    self.tape = tape
    states = Floats(tape.stateLayers * tape.capacity * encoder.hiddenSize)
    sums = layers.map { _ in Floats(tape.elements) }
  }

  /// Whether the weights of layers are released behind a pass.
  var releases: Bool { encoder.policy == .release }

  /// The layers with gradients, from 0.
  package var layers: [Int] { tape.chosen }

  /// Computes the gradient differential of a task, in `sums`. It is the same, bit by bit, every
  /// time and on any number of threads.
  ///
  /// - Throws: `badInput` if the model's weights cannot be read.
  package func compute(_ pairs: [MinimalPair]) throws(VDSQError) {
    for sum in sums {
      for i in 0..<sum.count { sum.p[i] = 0 }
    }
    let share = 1 / Float(max(1, pairs.count))
    for pair in pairs {
      try add(pair.good, share)
      try add(pair.bad, -share)
    }
    try flush()
  }

  /// Adds a text to the batch.
  private func add(_ text: String, _ weight: Float) throws(VDSQError) {
    // The tokens that TextScorer predicts.
    var ids: [Int32] = []
    Array(text.utf8).withUnsafeBytes { encoder.ids(of: $0, behind: [], into: &ids) }
    if ids.first != beginning { ids.insert(beginning, at: 0) }
    ids = Array(ids.prefix(encoder.maximumTokens))
    guard ids.count > 1 else { return }
    if batch.ids.count + ids.count - 1 > tape.capacity
      || batch.sequences == encoder.batchCapacity.sequences
    {
      try flush()
    }
    batch.ids.append(contentsOf: ids.dropLast())
    batch.endSequence()
    targets.append(contentsOf: ids.dropFirst())
    weights.append(contentsOf: repeatElement(weight, count: ids.count - 1))
  }

  private func flush() throws(VDSQError) {
    guard batch.sequences > 0 else { return }
    try encoder.layerStates(of: batch, from: tape.chosen[0], into: states.p)
    tape.add(batch, states: states.p, targets: targets, weights: weights, to: sums)
    batch.removeAll()
    targets.removeAll(keepingCapacity: true)
    weights.removeAll(keepingCapacity: true)
  }
}
