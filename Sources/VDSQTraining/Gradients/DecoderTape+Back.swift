import VDSQInference
import VDSQKernels

extension DecoderTape {
  /// Replaces the gradients with respect to a layer's output by those with respect to its input.
  func back(_ index: Int, _ layer: Layer, _ batch: TokenBatch) {
    let tokens = batch.ids.count, d = c.hiddenSize
    multiplyBack(gradient.p, tokens: tokens, layer.down, into: narrow.p)
    gateBack(tokens)
    multiplyBack(wide.p, tokens: tokens, layer.up, into: narrow.p)
    normalizeBack(narrow.p, layer.feedForwardNorm, feedForwardRows, tokens: tokens)
    // Attention and feed-forward network read the same states, or one reads what the other wrote.
    let ofMiddle = middle.p
    if c.hasParallelResidual {
      ofMiddle.update(from: gradient.p, count: tokens * d)
      kernels.addScaled(1, narrow.p, tokens * d, gradient.p)
    } else {
      kernels.addScaled(1, narrow.p, tokens * d, gradient.p)
      ofMiddle.update(from: gradient.p, count: tokens * d)
    }
    multiplyBack(ofMiddle, tokens: tokens, layer.attentionOutput, into: narrow.p)
    attendBack(index, batch)
    rotate(qkvGradient.p, index, batch, by: inverseAngles.p)
    multiplyBack(qkvGradient.p, tokens: tokens, layer.qkv, into: narrow.p)
    normalizeBack(narrow.p, layer.attentionNorm, attentionRows, tokens: tokens)
    kernels.addScaled(1, narrow.p, tokens * d, gradient.p)
  }

  /// From `narrow`, the gradients of the down projection's inputs, those of the up projection's
  /// outputs, in `wide`.
  private func gateBack(_ tokens: Int) {
    let m = c.intermediateSize, width = (c.isGated ? 2 : 1) * m
    arithmetic.together(multiplications: tokens * m * 16) { worker in
      for row in worker.share(of: tokens) {
        let from = narrow.p + row * m, to = wide.p + row * width, states = up.p + row * width
        to.update(from: from, count: m)
        if c.isGated {
          for i in 0..<m { to[i] *= states[m + i] }
          let other = to + m
          other.update(from: states, count: m)
          kernels.gate(other, from, m, activation)
        }
        for i in 0..<m { to[i] *= activation.slope(states[i]) }
      }
    }
  }

  /// From `narrow`, the gradients of attention's outputs, those of rotated queries, keys and
  /// values.
  private func attendBack(_ index: Int, _ batch: TokenBatch) {
    let width = c.queryWidth + 2 * c.keyValueWidth, group = c.heads / c.keyValueHeads
    arithmetic.together(multiplications: batch.ids.count * c.queryWidth * 128) { worker in
      for item in worker.share(of: batch.sequences * c.keyValueHeads) {
        let range = batch.range(item / c.keyValueHeads), head = item % c.keyValueHeads
        for row in range {
          let own = qkvGradient.p + row * width + c.queryWidth + head * c.headSize
          for i in 0..<c.headSize {
            own[i] = 0
            own[c.keyValueWidth + i] = 0
          }
        }
        for query in head * group..<(head + 1) * group {
          headBack(
            index, range, query: query, keyValue: head, attentionScratch[worker.index].p)
        }
      }
    }
  }

  /// One head of queries of one sequence.
  private func headBack(
    _ index: Int, _ range: Range<Int>, query: Int, keyValue: Int,
    _ scratch: UnsafeMutablePointer<Float>
  ) {
    let width = c.queryWidth + 2 * c.keyValueWidth, size = c.headSize
    let scale = attentionScale, window = c.window(layer: index)
    let states = qkv.p + range.lowerBound * width
    let gradients = qkvGradient.p + range.lowerBound * width
    let keys = c.queryWidth + keyValue * size, values = keys + c.keyValueWidth
    let place = query * size
    let weights = scratch, slopes = scratch + range.count + 16
    for row in 0..<range.count {
      let first = window > row ? 0 : row - window + 1
      let query = states + row * width + place
      let own = gradients + row * width + place
      let outer = narrow.p + (range.lowerBound + row) * c.queryWidth + place
      for i in 0..<size { own[i] = 0 }
      for j in first...row {
        kernels.dotRows(query, states + j * width + keys, 1, size, weights + j - first)
        kernels.dotRows(outer, states + j * width + values, 1, size, slopes + j - first)
      }
      let count = row - first + 1
      kernels.softmax(weights, count, 1, count, scale)
      var mean: Float = 0
      kernels.dotRows(weights, slopes, 1, count, &mean)
      for j in first...row {
        let weight = weights[j - first]
        let slope = weight * (slopes[j - first] - mean) * scale
        kernels.addScaled(slope, states + j * width + keys, size, own)
        kernels.addScaled(slope, query, size, gradients + j * width + keys)
        kernels.addScaled(weight, outer, size, gradients + j * width + values)
      }
    }
  }
}
