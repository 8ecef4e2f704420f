import VDSQInference
import VDSQKernels

extension DecoderTape {
  /// Computes a layer's inner states again, from its input.
  ///
  /// Afterwards `inner` has the inputs of the down projection, and the other buffers what `back`
  /// needs.
  func forward(
    _ index: Int, _ layer: Layer, _ batch: TokenBatch, _ input: UnsafePointer<Float>
  ) {
    let tokens = batch.ids.count, d = c.hiddenSize, m = c.intermediateSize
    normalize(input, layer.attentionNorm, attentionRows, tokens: tokens, into: normed.p)
    multiply(normed.p, tokens: tokens, layer.qkv, into: qkv.p)
    rotate(qkv.p, index, batch, by: angles.p)
    attend(index, batch)
    multiply(context.p, tokens: tokens, layer.attentionOutput, into: middle.p)
    kernels.addScaled(1, input, tokens * d, middle.p)
    normalize(
      c.hasParallelResidual ? input : UnsafePointer(middle.p), layer.feedForwardNorm,
      feedForwardRows, tokens: tokens, into: normed.p)
    multiply(normed.p, tokens: tokens, layer.up, into: up.p)
    let width = (c.isGated ? 2 : 1) * m
    for row in 0..<tokens {
      let own = inner.p + row * m
      own.update(from: up.p + row * width, count: m)
      let factors = c.isGated ? up.p + row * width + m : ones.p
      kernels.gate(own, factors, m, activation)
    }
  }

  /// `y = x W^T + b` in floats.
  private func multiply(
    _ x: UnsafePointer<Float>, tokens: Int, _ layer: LayerPanels,
    into y: UnsafeMutablePointer<Float>
  ) {
    let w = layer.linear.panels
    arithmetic.together(multiplications: tokens * layer.inputs * layer.outputs) { worker in
      let own = worker.share(of: tokens, unit: 8)
      guard !own.isEmpty else { return }
      kernels.gemmFloat(
        x + own.lowerBound * layer.inputs, layer.inputs, own.count, w, 0..<w.panels,
        LinearOutput(y: y + own.lowerBound * layer.outputs, stride: layer.outputs))
    }
  }

  /// Rotates queries and keys to their positions; by the inverse angles, gradients back.
  func rotate(
    _ rows: UnsafeMutablePointer<Float>, _ index: Int, _ batch: TokenBatch,
    by angles: UnsafePointer<Float>
  ) {
    guard let rotary, c.isRotated(layer: index) else { return }
    let width = c.queryWidth + 2 * c.keyValueWidth
    for sequence in 0..<batch.sequences {
      for (position, row) in batch.range(sequence).enumerated() {
        rotary.rotate(
          rows + row * width, heads: c.heads + c.keyValueHeads, headSize: c.headSize,
          by: angles + position * rotary.dimensions, kernels)
      }
    }
  }

  /// The factor of attention scores.
  var attentionScale: Float {
    1 / (c.attentionDivisor.map { Float($0) } ?? Float(c.headSize).squareRoot())
  }

  private func attend(_ index: Int, _ batch: TokenBatch) {
    let width = c.queryWidth + 2 * c.keyValueWidth, group = c.heads / c.keyValueHeads
    let size = c.headSize
    arithmetic.together(multiplications: batch.ids.count * c.queryWidth * 64) { worker in
      for item in worker.share(of: batch.sequences * c.keyValueHeads) {
        let range = batch.range(item / c.keyValueHeads), head = item % c.keyValueHeads
        let first = qkv.p + range.lowerBound * width
        kernels.causalAttention(
          CausalAttentionInput(
            queries: first + head * group * size, queryStride: width, position: 0,
            count: range.count, group: group, keys: first + c.queryWidth + head * size,
            values: first + c.queryWidth + c.keyValueWidth + head * size, stride: width,
            headSize: size, window: c.window(layer: index), scale: attentionScale),
          context.p + range.lowerBound * c.queryWidth + head * group * size, c.queryWidth,
          attentionScratch[worker.index].p)
      }
    }
  }
}
