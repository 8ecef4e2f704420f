import VDSQKernels

/// What a norm's backward pass needs of its forward pass: for each row the normalized deviations
/// and the reciprocal of the standard deviation, or of the root mean square.
final class NormRows {
  let deviations: Floats
  let reciprocals: Floats
  let columns: Int

  init(tokens: Int, columns: Int) {
    deviations = Floats(tokens * columns)
    reciprocals = Floats(tokens)
    self.columns = columns
  }
}

extension DecoderTape {
  /// `y = norm(x)`, which stores what `normalizeBack` needs.
  func normalize(
    _ x: UnsafePointer<Float>, _ norm: Normalization, _ kept: NormRows, tokens: Int,
    into y: UnsafeMutablePointer<Float>
  ) {
    let d = c.hiddenSize, isCentred = c.norm == .layerNorm
    for row in 0..<tokens {
      let x = x + row * d, y = y + row * d, deviations = kept.deviations.p + row * d
      var (mean, square): (Float, Float) = (0, 0)
      if isCentred {
        kernels.dotRows(x, ones.p, 1, d, &mean)
        mean /= Float(d)
      }
      for i in 0..<d { deviations[i] = x[i] - mean }
      kernels.dotRows(deviations, deviations, 1, d, &square)
      let reciprocal = 1 / (square / Float(d) + norm.epsilon).squareRoot()
      kept.reciprocals.p[row] = reciprocal
      for i in 0..<d {
        deviations[i] *= reciprocal
        y[i] = deviations[i] * norm.gain[i] + (norm.bias?[i] ?? 0)
      }
    }
  }

  /// Replaces gradients with respect to a norm's outputs by those with respect to its inputs.
  func normalizeBack(
    _ g: UnsafeMutablePointer<Float>, _ norm: Normalization, _ kept: NormRows, tokens: Int
  ) {
    let d = c.hiddenSize, isCentred = c.norm == .layerNorm
    for row in 0..<tokens {
      let g = g + row * d, deviations = kept.deviations.p + row * d
      for i in 0..<d { g[i] *= norm.gain[i] }
      var (sum, product): (Float, Float) = (0, 0)
      if isCentred { kernels.dotRows(g, ones.p, 1, d, &sum) }
      kernels.dotRows(g, deviations, 1, d, &product)
      let mean = sum / Float(d), share = product / Float(d)
      let reciprocal = kept.reciprocals.p[row]
      for i in 0..<d { g[i] = reciprocal * (g[i] - mean - deviations[i] * share) }
    }
  }
}
