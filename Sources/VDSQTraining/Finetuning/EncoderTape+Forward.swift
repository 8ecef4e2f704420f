import VDSQInference
import VDSQKernels

extension EncoderTape {
  /// A layer of a shard.
  package func forward(
    _ index: Int, _ layer: Layer, _ sequences: Range<Int>, _ rows: Range<Int>, _ s: Scratch
  ) {
    let d = c.hiddenSize, n = rows.count, t = tape[index]
    let x = t.states.p + rows.lowerBound * d
    let qkv = t.qkv.p + rows.lowerBound * 3 * d
    multiply(x, n, layer.qkv, s, qkv)
    for row in 0..<n {
      kernels.addUpdates(
        updates + index * 4 * rank * d, rank: rank, columns: d, scale: scale, of: x + row * d,
        products: t.inner.p + (rows.lowerBound + row) * 2 * rank, to: qkv + row * 3 * d)
    }
    for sequence in sequences {
      let range = batch.range(sequence)
      let at = range.lowerBound - rows.lowerBound
      for head in 0..<c.heads {
        let first = UnsafePointer(qkv + at * 3 * d + head * c.headSize)
        kernels.attention(
          AttentionInput(
            queries: first, keys: first + d, values: first + 2 * d, stride: 3 * d,
            length: range.count, headSize: c.headSize, rows: 0..<range.count),
          s.narrow.p + at * d + head * c.headSize, d, s.attention.p)
      }
    }
    multiply(s.narrow.p, n, layer.attentionOutput, s, s.mixed.p)
    normalize(s.mixed.p, x, layer.attentionNorm, rows, t.first, s.narrow.p)
    let inner = t.up.p + rows.lowerBound * c.intermediateSize
    multiply(s.narrow.p, n, layer.up, s, inner)
    for i in 0..<n * c.intermediateSize { s.wide.p[i] = inner[i] }
    for row in 0..<n {
      kernels.gate(
        s.wide.p + row * c.intermediateSize, ones.p, c.intermediateSize, activation)
    }
    multiply(s.wide.p, n, layer.down, s, s.mixed.p)
    guard index + 1 == layers.count else {
      return normalize(
        s.mixed.p, s.narrow.p, layer.outputNorm, rows, t.second,
        tape[index + 1].states.p + rows.lowerBound * d)
    }
    normalize(s.mixed.p, s.narrow.p, layer.outputNorm, rows, t.second, s.wide.p)
    for sequence in sequences {
      let range = batch.range(sequence)
      let to = pooled.p + sequence * d
      let states = s.wide.p + (range.lowerBound - rows.lowerBound) * d
      for i in 0..<d { to[i] = c.pooling == .mean ? 0 : states[i] }
      guard c.pooling == .mean else { continue }
      for row in 0..<range.count {
        kernels.addScaled(1 / Float(range.count), states + row * d, d, to)
      }
    }
  }

  private func multiply(
    _ x: UnsafePointer<Float>, _ rows: Int, _ layer: LayerPanels, _ s: Scratch,
    _ y: UnsafeMutablePointer<Float>
  ) {
    runner.apply(
      layer.linear, x, rows: rows, ranges: nil, scratch: s.quantized(layer.inputs, kernels),
      LinearOutput(y: y, stride: layer.outputs))
  }

  /// `y = norm(x + residual)`. Stores the normalised deviations and the reciprocal of the standard
  /// deviation for the backward pass.
  private func normalize(
    _ x: UnsafeMutablePointer<Float>, _ residual: UnsafePointer<Float>, _ norm: Normalization,
    _ rows: Range<Int>, _ kept: Floats, _ y: UnsafeMutablePointer<Float>
  ) {
    let d = c.hiddenSize
    for row in 0..<rows.count {
      let x = x + row * d, y = y + row * d
      let deviations = kept.p + (rows.lowerBound + row) * (d + 1)
      kernels.addScaled(1, residual + row * d, d, x)
      var sum: Float = 0, square: Float = 0
      kernels.dotRows(x, ones.p, 1, d, &sum)
      let mean = sum / Float(d)
      for i in 0..<d { deviations[i] = x[i] - mean }
      kernels.dotRows(deviations, deviations, 1, d, &square)
      let reciprocal = 1 / (square / Float(d) + norm.epsilon).squareRoot()
      for i in 0..<d {
        deviations[i] *= reciprocal
        y[i] = deviations[i] * norm.gain[i] + norm.bias![i]
      }
      deviations[d] = reciprocal
    }
  }
}
