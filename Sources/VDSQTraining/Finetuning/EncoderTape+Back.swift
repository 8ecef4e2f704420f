import Glibc
package import VDSQInference
import VDSQKernels

extension EncoderTape {
  /// Distributes the gradients of pooled states over tokens, and resets the sums.
  package func beginBack(_ worker: ThreadPool.Worker) {
    let d = c.hiddenSize
    for i in worker.share(of: Self.shardCount) {
      for k in 0..<shards[i].count { shards[i].p[k] = 0 }
      for sequence in shard(i).sequences {
        let range = batch.range(sequence)
        for row in range {
          let share: Float =
            c.pooling == .mean ? 1 / Float(range.count) : row == range.lowerBound ? 1 : 0
          for k in 0..<d { gradient.p[row * d + k] = pooled.p[sequence * d + k] * share }
        }
      }
    }
  }

  /// A layer of a shard.
  package func back(
    _ index: Int, _ layer: Layer, _ sequences: Range<Int>, _ rows: Range<Int>, _ s: Scratch,
    _ sums: UnsafeMutablePointer<Float>
  ) {
    let d = c.hiddenSize, inner = c.intermediateSize, n = rows.count, t = tape[index]
    let g = gradient.p + rows.lowerBound * d
    normBack(g, layer.outputNorm, rows, t.second, s.head.p)
    multiplyBack(g, n, layer.down, panels[3], s.wide.p)
    let before = t.up.p + rows.lowerBound * inner
    activation.multiplyBySlopes(s.wide.p, before, n * inner)
    multiplyBack(s.wide.p, n, layer.up, panels[2], s.narrow.p)
    kernels.addScaled(1, s.narrow.p, n * d, g)
    normBack(g, layer.attentionNorm, rows, t.first, s.head.p)
    multiplyBack(g, n, layer.attentionOutput, panels[1], s.narrow.p)
    let dqkv = s.wide.p
    for i in 0..<n * 3 * d { dqkv[i] = 0 }
    for sequence in sequences {
      let range = batch.range(sequence)
      let at = range.lowerBound - rows.lowerBound
      for head in 0..<c.heads {
        attentionBack(
          t.qkv.p + range.lowerBound * 3 * d + head * c.headSize,
          s.narrow.p + at * d + head * c.headSize, range.count,
          dqkv + at * 3 * d + head * c.headSize, s.attention.p)
      }
    }
    let down = updates + index * 4 * rank * d, up = down + 2 * rank * d
    let downSums = sums + index * 4 * rank * d, upSums = downSums + 2 * rank * d
    if index > 0 {
      multiplyBack(dqkv, n, layer.qkv, panels[0], s.mixed.p)
      kernels.addScaled(1, s.mixed.p, n * d, g)
    }
    for row in 0..<n {
      let x = t.states.p + (rows.lowerBound + row) * d
      let product = t.inner.p + (rows.lowerBound + row) * 2 * rank
      for k in 0..<2 * rank {
        let dy = dqkv + row * 3 * d + (k < rank ? 0 : 2 * d)
        var slope: Float = 0
        kernels.dotRows(dy, up + k * d, 1, d, &slope)
        kernels.addScaled(scale * product[k], dy, d, upSums + k * d)
        kernels.addScaled(scale * slope, x, d, downSums + k * d)
        kernels.addScaled(scale * slope, down + k * d, d, g + row * d)
      }
    }
  }

  private func multiplyBack(
    _ x: UnsafePointer<Float>, _ rows: Int, _ layer: LayerPanels, _ panels: Floats,
    _ y: UnsafeMutablePointer<Float>
  ) {
    let weights = WeightPanels(
      element: .float32, weights: panels.p, scales: nil, rowSums: nil, bias: nil,
      outputs: layer.inputs, inputs: layer.outputs)
    kernels.gemmFloat(
      x, layer.outputs, rows, weights, 0..<weights.panels,
      LinearOutput(y: y, stride: layer.inputs))
  }

  /// Replaces the gradient with respect to a norm's outputs by that with respect to its inputs.
  private func normBack(
    _ g: UnsafeMutablePointer<Float>, _ norm: Normalization, _ rows: Range<Int>, _ kept: Floats,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    let d = c.hiddenSize
    for row in 0..<rows.count {
      let g = g + row * d
      let deviations = kept.p + (rows.lowerBound + row) * (d + 1)
      for i in 0..<d { scratch[i] = g[i] * norm.gain[i] }
      var sum: Float = 0, product: Float = 0
      kernels.dotRows(scratch, ones.p, 1, d, &sum)
      kernels.dotRows(scratch, deviations, 1, d, &product)
      let mean = sum / Float(d), share = product / Float(d), reciprocal = deviations[d]
      for i in 0..<d { g[i] = reciprocal * (scratch[i] - mean - deviations[i] * share) }
    }
  }

  /// The gradients with respect to queries, keys and values of one head of one sequence, from that
  /// of its outputs.
  private func attentionBack(
    _ qkv: UnsafePointer<Float>, _ dy: UnsafePointer<Float>, _ length: Int,
    _ dqkv: UnsafeMutablePointer<Float>, _ scratch: UnsafeMutablePointer<Float>
  ) {
    let d = c.hiddenSize, size = c.headSize, block = length * size
    let keys = scratch, values = keys + block, dk = values + block, dv = dk + block
    let weights = dv + block, slopes = weights + length
    for j in 0..<length {
      for i in 0..<size {
        keys[j * size + i] = qkv[j * 3 * d + d + i]
        values[j * size + i] = qkv[j * 3 * d + 2 * d + i]
        dk[j * size + i] = 0
        dv[j * size + i] = 0
      }
    }
    let scale = 1 / Float(size).squareRoot()
    for row in 0..<length {
      let query = qkv + row * 3 * d, dy = dy + row * d, dq = dqkv + row * 3 * d
      kernels.dotRows(query, keys, length, size, weights)
      kernels.softmax(weights, length, 1, length, scale)
      kernels.dotRows(dy, values, length, size, slopes)
      var mean: Float = 0
      kernels.dotRows(weights, slopes, 1, length, &mean)
      for j in 0..<length {
        let slope = weights[j] * (slopes[j] - mean) * scale
        kernels.addScaled(slope, keys + j * size, size, dq)
        kernels.addScaled(slope, query, size, dk + j * size)
        kernels.addScaled(weights[j], dy, size, dv + j * size)
      }
    }
    for j in 0..<length {
      for i in 0..<size {
        dqkv[j * 3 * d + d + i] = dk[j * size + i]
        dqkv[j * 3 * d + 2 * d + i] = dv[j * size + i]
      }
    }
  }
}
