package import VDSQFormat
package import VDSQInference
package import VDSQKernels

/// The upper layers of a causal language model, backward: gradients of log-likelihoods with respect
/// to the weights of down projections.
///
/// The decoder's own pass gives the states before each layer. From the last layer down, a layer is
/// computed again in floats from these states, differentiated, and forgotten. So the states of one
/// batch, the inner states of one layer, its decoded weights and the gradients are in memory.
package final class DecoderTape {
  struct Layer {
    let qkv, attentionOutput, up, down: LayerPanels
    let attentionNorm, feedForwardNorm: Normalization
  }

  let c: Architecture
  let kernels: KernelTable
  let arithmetic: MatrixArithmetic
  let activation: Activation
  /// The layers with gradients, from 0, in ascending order.
  package let chosen: [Int]
  /// The lowest of them. Layers below it are not differentiated.
  var lowest: Int { chosen[0] }
  /// The layers from the lowest one on.
  private let layers: [Layer]
  private let finalNorm: Normalization
  private let head: HeadGradient
  let rotary: RotaryAngles?
  /// The maximum number of tokens of a batch.
  package let capacity: Int
  /// Whether the weights of layers are released behind a pass.
  private let releases: Bool

  // Buffers of a layer, a row for each token of a batch.
  let angles, inverseAngles: Floats
  let attentionRows, feedForwardRows: NormRows
  let normed, qkv, context, middle, up, inner: Floats
  // Gradients.
  let gradient, wide, narrow, qkvGradient: Floats
  let ones: Floats
  let attentionScratch: [Floats]
  private let panels: Floats
  /// `[tokens, hiddenSize]` and `[tokens, intermediateSize]`, transposed, for the products.
  private let transposed: Floats
  private let packed: PackedMatrix

  /// The bytes of a tape, its gradients included, and the states of a batch.
  package static func bytes(
    _ c: Architecture, chosen: [Int], tokens: Int, longest: Int, threads: Int
  ) -> Int {
    let d = c.hiddenSize, m = c.intermediateSize, q = c.queryWidth
    let up = (c.isGated ? 2 : 1) * m, qkv = q + 2 * c.keyValueWidth
    let states = (c.layers - chosen[0] + 1) * tokens * d
    let rows = tokens * (2 * (d + 1) + 4 * d + 2 * qkv + q + 2 * up + 2 * m + d + m)
    return 4
      * (states + rows + panels(c) + threads * attentionScratch(c, longest)
        + 2 * longest * c.positions.rotaryDimensions + chosen.count * d * m)
      + HeadGradient.bytes(c, tokens: tokens)
  }

  private static func panels(_ c: Architecture) -> Int {
    func count(_ outputs: Int, _ inputs: Int) -> Int {
      (outputs + 15) / 16 * 16 * ((inputs + 15) / 16 * 16)
    }
    let d = c.hiddenSize
    return max(
      count((c.isGated ? 2 : 1) * c.intermediateSize, d),
      count(c.queryWidth + 2 * c.keyValueWidth, d), count(d, c.intermediateSize))
  }

  private static func attentionScratch(_ c: Architecture, _ longest: Int) -> Int {
    max(
      CausalAttentionInput.scratch(length: longest, headSize: c.headSize), 2 * longest + 32)
  }

  /// - Parameters:
  ///   - chosen: the layers with gradients, in ascending order.
  ///   - tokens: the maximum number of tokens of a batch.
  ///   - longest: the maximum number of tokens of a sequence.
  ///   - releases: whether the weights of layers are released behind a pass.
  /// - Throws: `badInput` if the model is no causal language model, or one that is not
  ///   differentiated.
  package init(
    _ container: Container, kernels: KernelTable, threads: ThreadPool, chosen: [Int],
    tokens: Int, longest: Int, releases: Bool = false
  ) throws(VDSQError) {
    self.releases = releases
    let c = try Architecture(container.metadata)
    self.c = c
    guard c.family == .causalDecoder, c.pooling == .nextToken else {
      throw .badInput("\(container.path): the model is no causal language model")
    }
    guard !c.hasOutputNorms, container.find("layer.0.attention.query_norm.weight") == nil else {
      throw .badInput(
        "\(container.path): gradients of models with norms of queries, keys or projections are not "
          + "supported")
    }
    guard c.distanceBias == .none, c.attentionCap == nil, c.logitCap == nil else {
      throw .badInput(
        "\(container.path): gradients of models with capped scores or biases of distances are not "
          + "supported")
    }
    self.kernels = kernels
    self.chosen = chosen
    capacity = tokens
    arithmetic = MatrixArithmetic(kernels: kernels, threads: threads)
    activation = Activation(c.activation)
    let d = c.hiddenSize, m = c.intermediateSize
    let qkvWidth = c.queryWidth + 2 * c.keyValueWidth, upWidth = (c.isGated ? 2 : 1) * m
    func norm(_ name: String) throws(VDSQError) -> Normalization {
      Normalization(
        gain: try container.floats("\(name).weight", shape: [d]),
        bias: container.find("\(name).bias") == nil
          ? nil : try container.floats("\(name).bias", shape: [d]),
        epsilon: Float(c.normEpsilon))
    }
    var layers: [Layer] = []
    for i in chosen[0]..<c.layers {
      let name = "layer.\(c.storedLayer(of: i))"
      layers.append(
        Layer(
          qkv: try LayerPanels(container, "\(name).attention.qkv", outputs: qkvWidth, inputs: d),
          attentionOutput: try LayerPanels(
            container, "\(name).attention.output", outputs: d, inputs: c.queryWidth),
          up: try LayerPanels(container, "\(name).feed_forward.up", outputs: upWidth, inputs: d),
          down: try LayerPanels(container, "\(name).feed_forward.down", outputs: d, inputs: m),
          attentionNorm: try norm("\(name).attention.norm"),
          feedForwardNorm: try norm("\(name).feed_forward.norm")))
    }
    self.layers = layers
    finalNorm = try norm("final_norm")
    head = try HeadGradient(container, kernels: kernels, arithmetic: arithmetic, tokens: tokens)
    rotary = try RotaryAngles(container, c)
    angles = Floats(longest * c.positions.rotaryDimensions)
    inverseAngles = Floats(longest * c.positions.rotaryDimensions)
    attentionRows = NormRows(tokens: tokens, columns: d)
    feedForwardRows = NormRows(tokens: tokens, columns: d)
    normed = Floats(tokens * d)
    // The last vector of the last head may be read beyond its end.
    qkv = Floats(tokens * qkvWidth + 32)
    context = Floats(tokens * c.queryWidth)
    middle = Floats(tokens * d)
    up = Floats(tokens * upWidth)
    inner = Floats(tokens * m)
    gradient = Floats(tokens * d)
    wide = Floats(tokens * max(upWidth, m))
    narrow = Floats(tokens * max(d, max(m, c.queryWidth)))
    qkvGradient = Floats(tokens * qkvWidth)
    ones = Floats(max(d, m))
    for i in 0..<ones.count { ones.p[i] = 1 }
    attentionScratch = (0..<threads.count).map { _ in Floats(Self.attentionScratch(c, longest)) }
    panels = Floats(Self.panels(c))
    transposed = Floats(tokens * d)
    packed = PackedMatrix(rows: m, columns: tokens)
    if let rotary {
      rotary.compute(0..<longest, into: angles.p)
      let half = rotary.dimensions / 2
      for position in 0..<longest {
        for i in 0..<half {
          let place = position * rotary.dimensions + i
          inverseAngles.p[place] = angles.p[place]
          inverseAngles.p[place + half] = -angles.p[place + half]
        }
      }
    }
  }

  /// The number of layers whose input states `add` reads, the output of the last one included.
  package var stateLayers: Int { layers.count + 1 }

  /// The number of elements of a gradient: `[hiddenSize, intermediateSize]`.
  package var elements: Int { c.hiddenSize * c.intermediateSize }

  /// Adds the gradients of `-sum_t weight_t log p(target_t)` over the tokens of a batch.
  ///
  /// - Parameters:
  ///   - states: `[stateLayers, tokens, hiddenSize]`: the states before each layer from the lowest
  ///     on, and behind the last, before the final norm.
  ///   - targets: the token that each token predicts.
  ///   - weights: the weight of each token's loss.
  ///   - sums: for each of the chosen layers, `[hiddenSize, intermediateSize]`, as the projection's
  ///     weights lie in a checkpoint.
  package func add(
    _ batch: TokenBatch, states: UnsafePointer<Float>, targets: [Int32], weights: [Float],
    to sums: [Floats]
  ) {
    let tokens = batch.ids.count, d = c.hiddenSize
    let last = states + layers.count * tokens * d
    normalize(last, finalNorm, feedForwardRows, tokens: tokens, into: normed.p)
    head.gradient(normed.p, tokens: tokens, targets: targets, weights: weights, into: gradient.p)
    normalizeBack(gradient.p, finalNorm, feedForwardRows, tokens: tokens)
    for index in layers.indices.reversed() {
      let layer = layers[index]
      let input = states + index * tokens * d
      forward(index + lowest, layer, batch, input)
      if let place = chosen.firstIndex(of: index + lowest) {
        addProduct(tokens: tokens, to: sums[place].p)
      }
      if index > 0 { back(index + lowest, layer, batch) }
      if releases { layer.qkv.release() }
    }
  }

  /// Adds the product of the gradients of a layer's outputs and its inner states.
  private func addProduct(tokens: Int, to sum: UnsafeMutablePointer<Float>) {
    let d = c.hiddenSize, m = c.intermediateSize
    packed.reshape(rows: m, columns: tokens)
    arithmetic.together(multiplications: tokens * d * m) { worker in
      packed.pack(transposed: inner.p, stride: m, worker.share(of: packed.panels))
      MatrixArithmetic.transpose(
        gradient.p, rows: tokens, columns: d, worker.share(of: d), into: transposed.p)
      worker.barrier()
      arithmetic.multiply(
        transposed.p, xStride: tokens, rows: worker.share(of: d, unit: 8), packed,
        panels: 0..<packed.panels, .add, sum, yStride: m)
    }
  }

  /// `y = x W`: gradients with respect to a linear layer's inputs, from those of its outputs.
  func multiplyBack(
    _ x: UnsafePointer<Float>, tokens: Int, _ layer: LayerPanels,
    into y: UnsafeMutablePointer<Float>
  ) {
    let weights = WeightPanels(
      element: .float32, weights: panels.p, scales: nil, rowSums: nil, bias: nil,
      outputs: layer.inputs, inputs: layer.outputs)
    arithmetic.together(multiplications: tokens * layer.inputs * layer.outputs) { worker in
      layer.decodeTransposed(worker.share(of: layer.panels), into: panels.p)
      worker.barrier()
      let own = worker.share(of: tokens, unit: 8)
      guard !own.isEmpty else { return }
      kernels.gemmFloat(
        x + own.lowerBound * layer.outputs, layer.outputs, own.count, weights, 0..<weights.panels,
        LinearOutput(y: y + own.lowerBound * layer.inputs, stride: layer.inputs))
    }
  }
}
