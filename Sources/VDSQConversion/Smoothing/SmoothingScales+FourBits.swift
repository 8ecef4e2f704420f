extension SmoothingScales {
  /// Rows of the weights that are quantized for an estimate.
  private static let quantizedRows = 48

  /// The scales with the smallest error, if weights are stored in four bits: none, SmoothQuant's,
  /// those that are best for eight bits, or such for whole groups of columns.
  ///
  /// Weights of four bits lose more by rounding than activations do, and weights that had four bits
  /// before lose little as long as all columns of a group have the same scale. So their rounding is
  /// measured.
  ///
  /// - Parameter groups: the columns of a group, a multiple of 8.
  /// - Returns: the scales, and their error as a share of that without scales.
  func minimizing(fourBits groups: Int) -> (scales: [Float], error: Double) {
    let none = [Float](repeating: 1, count: count)
    let before = error(none, fourBits: groups)
    guard before > 0 else { return (none, 1) }
    var best = (scales: none, error: before)
    var candidates = Self.exponents.map { scales(exponent: $0) } + [minimizing()]
    if count == columns {
      let coarse = SmoothingScales(
        inputs: inputs, weights: weights, scales: (0..<columns).map { $0 / groups },
        count: (columns + groups - 1) / groups)
      for found in Self.exponents.map({ coarse.scales(exponent: $0) }) + [coarse.minimizing()] {
        var scales = none
        for j in 0..<columns { scales[scaleOf[j]] = found[j / groups] }
        candidates.append(scales)
      }
    }
    for scales in candidates {
      let error = error(scales, fourBits: groups)
      if error < best.error { best = (scales, error) }
    }
    return (best.scales, best.error / before)
  }

  /// The expected squared error of products of rounded activations and weights of four bits:
  ///
  ///     sum_r |w_r S|^2 sum_t range(x_t / s)^2 / (12 255^2 |x_t|^2)
  ///       + sum_r sum_j d_rj^2 sum_t (x_tj / s_j)^2 / |x_t|^2
  ///
  /// where d is the rounding error of w S.
  private func error(_ scales: [Float], fourBits groups: Int) -> Double {
    let factors = scaleOf.map { scales[$0] }
    let ofInputs = ranges(scales) / (12 * 255 * 255)
    let rows = weights.count / columns
    var row = [Float](repeating: 0, count: columns)
    var quantizer = FourBitQuantizer(columns: columns, groups: groups)
    var meter = ErrorMeter()
    var error = 0.0
    for place in stride(from: 0, to: rows, by: max(1, rows / Self.quantizedRows)) {
      var square = 0.0
      for j in 0..<columns {
        row[j] = weights[place * columns + j] * factors[j]
        square += Double(row[j]) * Double(row[j])
      }
      quantizer.quantize(row, &meter)
      error += square * ofInputs
      for j in 0..<columns {
        let lost = Double(row[j] - quantizer.value(j))
        error += lost * lost * inputSquares[j] / Double(factors[j] * factors[j])
      }
    }
    return error
  }
}
