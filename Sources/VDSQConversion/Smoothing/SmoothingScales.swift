import Glibc

/// Finds the scales of the columns of a linear layer's input.
///
/// The expected squared error of the products of integers is that of uniform rounding. A token's
/// step is its range / 255, and a row's its largest magnitude / 127, so the error is, up to a
/// constant,
///
///     E = |W S|^2 sum_t range(x_t / s)^2 / 255^2 / |x_t|^2
///       + sum_r max_j |w_rj s_j|^2 / 127^2 sum_t |x_t / s|^2 / |x_t|^2
///
/// Tokens count by their relative error, because a norm follows. SmoothQuant's formula is a guess
/// at the minimum of E; this is a descent from the best of such guesses.
package struct SmoothingScales {
  /// The exponents of SmoothQuant's formula that the descent may start from.
  static let exponents = [0.25, 0.375, 0.5, 0.625, 0.75]
  private static let steps = 30
  /// The length of a step of the descent, in logarithms of scales.
  private static let stepLength = 0.1
  private static let largest = 9.0

  /// `[tokens, columns]`.
  let inputs: [Float]
  /// `[rows, columns]`: rows of the weights.
  let weights: [Float]
  let columns: Int
  /// The scale of each column.
  let scaleOf: [Int]
  let count: Int
  /// The reciprocal square of each token's length.
  private var shares: [Double] = []
  /// For each column, the sum of squares of the weights, and of the inputs by `shares`.
  private var weightSquares: [Double]
  private(set) var inputSquares: [Double]
  /// For each scale, the largest magnitudes.
  private var inputMaxima: [Double]
  private var weightMaxima: [Double]

  /// - Parameters:
  ///   - inputs: `[tokens, columns]`, finite.
  ///   - weights: `[rows, columns]`: some rows of the weights, finite.
  ///   - scales: the index of the scale of each column.
  ///   - count: the number of scales.
  package init(inputs: [Float], weights: [Float], scales: [Int], count: Int) {
    self.inputs = inputs
    self.weights = weights
    (columns, scaleOf, self.count) = (scales.count, scales, count)
    weightSquares = Array(repeating: 0, count: columns)
    inputSquares = weightSquares
    inputMaxima = Array(repeating: 0, count: count)
    weightMaxima = inputMaxima
    for first in stride(from: 0, to: inputs.count, by: columns) {
      var square = 0.0
      for j in 0..<columns { square += Double(inputs[first + j]) * Double(inputs[first + j]) }
      let share = square > 0 ? 1 / square : 0
      shares.append(share)
      for j in 0..<columns {
        let x = Double(inputs[first + j])
        inputSquares[j] += x * x * share
        inputMaxima[scaleOf[j]] = max(inputMaxima[scaleOf[j]], x.magnitude)
      }
    }
    for first in stride(from: 0, to: weights.count, by: columns) {
      for j in 0..<columns {
        let w = Double(weights[first + j])
        weightSquares[j] += w * w
        weightMaxima[scaleOf[j]] = max(weightMaxima[scaleOf[j]], w.magnitude)
      }
    }
  }

  /// SmoothQuant's scales for an exponent. Their geometric mean is 1.
  package func scales(exponent: Double) -> [Float] {
    let logs = (0..<count).map { i in
      // Columns without inputs or weights have no error.
      inputMaxima[i] > 0 && weightMaxima[i] > 0
        ? exponent * log(inputMaxima[i]) - (1 - exponent) * log(weightMaxima[i]) : nil
    }
    let known = logs.compactMap { $0 }
    let mean = known.reduce(0, +) / Double(max(1, known.count))
    return Self.rounded(
      logs.map { exp(min(max(($0 ?? mean) - mean, -Self.largest), Self.largest)) })
  }

  /// Scales with eight significant bits, so that they do not depend on how the machine rounds
  /// logarithms.
  private static func rounded(_ values: [Double]) -> [Float] {
    values.map { Float(bitPattern: (Float($0).bitPattern &+ 0x8000) & 0xFFFF_0000) }
  }

  /// The sum over tokens of the squared ranges of scaled inputs, by `shares`.
  func ranges(_ scales: [Float]) -> Double {
    let inverses = scaleOf.map { 1 / scales[$0] }
    return inputs.withUnsafeBufferPointer { inputs in
      shares.indices.reduce(0.0) { sum, token in
        let extremes = Extremes(inputs.baseAddress! + token * columns, inverses, columns)
        let range = Double(extremes.high - extremes.low)
        return sum + range * range * shares[token]
      }
    }
  }

  /// The expected error E.
  package func error(_ scales: [Float]) -> Double {
    var gradient: [Double] = []
    return error(scales, &gradient)
  }

  /// The scales with the smallest error that a descent finds.
  package func minimizing() -> [Float] {
    var best = [Float](repeating: 1, count: count)
    var least = error(best)
    guard least > 0 else { return best }
    for exponent in Self.exponents {
      let scales = scales(exponent: exponent)
      let error = error(scales)
      if error < least { (least, best) = (error, scales) }
    }
    // Adam (Kingma and Ba, arXiv 1412.6980) on logarithms of scales.
    var logs = best.map { log(Double($0)) }
    var gradient = [Double](repeating: 0, count: count)
    var mean = gradient, square = gradient
    for step in 1...Self.steps {
      _ = error(logs.map { Float(exp($0)) }, &gradient)
      let (first, second) = (1 - pow(0.9, Double(step)), 1 - pow(0.999, Double(step)))
      for i in 0..<count {
        mean[i] = 0.9 * mean[i] + 0.1 * gradient[i]
        square[i] = 0.999 * square[i] + 0.001 * gradient[i] * gradient[i]
        let change = mean[i] / first / ((square[i] / second).squareRoot() + 1e-8)
        logs[i] = min(max(logs[i] - Self.stepLength * change, -Self.largest), Self.largest)
      }
      guard step % 6 == 0 else { continue }
      let scales = Self.rounded(logs.map { exp($0) })
      let error = error(scales)
      if error < least { (least, best) = (error, scales) }
    }
    return best
  }

  /// The expected error, and its derivatives by the logarithms of scales divided by it.
  ///
  /// - Parameter gradient: receives a derivative per scale, unless it is empty.
  private func error(_ scales: [Float], _ gradient: inout [Double]) -> Double {
    let factors = scaleOf.map { scales[$0] }
    let inverses = factors.map { 1 / $0 }
    var inputBlame = [Double](repeating: 0, count: columns), weightBlame = inputBlame
    var ranges = 0.0, maxima = 0.0
    inputs.withUnsafeBufferPointer { inputs in
      for (token, share) in shares.enumerated() where share > 0 {
        let x = inputs.baseAddress! + token * columns
        let extremes = Extremes(x, inverses, columns)
        let range = Double(extremes.high - extremes.low)
        ranges += range * range * share
        inputBlame[extremes.highAt] += 2 * range * Double(extremes.high) * share
        inputBlame[extremes.lowAt] -= 2 * range * Double(extremes.low) * share
      }
    }
    weights.withUnsafeBufferPointer { weights in
      for row in 0..<weights.count / columns {
        let w = weights.baseAddress! + row * columns
        let extremes = Extremes(w, factors, columns)
        let most = Double(max(extremes.high, -extremes.low))
        maxima += most * most
        weightBlame[extremes.high > -extremes.low ? extremes.highAt : extremes.lowAt] +=
          2 * most * most
      }
    }
    var norm = 0.0, lengths = 0.0
    for j in 0..<columns {
      norm += weightSquares[j] * Double(factors[j]) * Double(factors[j])
      lengths += inputSquares[j] * Double(inverses[j]) * Double(inverses[j])
    }
    let (ofInputs, ofWeights) = (1 / (255.0 * 255), 1 / (127.0 * 127))
    let error = norm * ranges * ofInputs + maxima * lengths * ofWeights
    guard !gradient.isEmpty, error > 0 else { return error }
    for i in 0..<count { gradient[i] = 0 }
    for j in 0..<columns {
      let (up, down) = (Double(factors[j]), Double(inverses[j]))
      let inputs = 2 * weightSquares[j] * up * up * ranges - norm * inputBlame[j]
      let weights = weightBlame[j] * lengths - maxima * 2 * inputSquares[j] * down * down
      gradient[scaleOf[j]] += (inputs * ofInputs + weights * ofWeights) / error
    }
    return error
  }

  /// The smallest and the largest product of a row with factors, and their columns.
  private struct Extremes {
    private(set) var low: Float
    private(set) var high: Float
    private(set) var lowAt = 0
    private(set) var highAt = 0

    init(_ x: UnsafePointer<Float>, _ f: UnsafePointer<Float>, _ columns: Int) {
      (low, high) = (x[0] * f[0], x[0] * f[0])
      let whole = columns & ~7
      var least = SIMD8<Float>(repeating: low), most = least
      var leastAt = SIMD8<Int32>(repeating: 0), mostAt = leastAt
      for i in stride(from: 0, to: whole, by: 8) {
        let y = load(x + i) * load(f + i)
        let at = SIMD8<Int32>(repeating: Int32(truncatingIfNeeded: i))
        let (isLess, isMore) = (y .< least, y .> most)
        least = least.replacing(with: y, where: isLess)
        leastAt = leastAt.replacing(with: at, where: isLess)
        most = most.replacing(with: y, where: isMore)
        mostAt = mostAt.replacing(with: at, where: isMore)
      }
      for lane in 0..<8 {
        if least[lane] < low { (low, lowAt) = (least[lane], Int(leastAt[lane]) + lane) }
        if most[lane] > high { (high, highAt) = (most[lane], Int(mostAt[lane]) + lane) }
      }
      for i in whole..<columns {
        let y = x[i] * f[i]
        if y < low { (low, lowAt) = (y, i) }
        if y > high { (high, highAt) = (y, i) }
      }
    }
  }
}

@inline(__always)
private func load(_ p: UnsafePointer<Float>) -> SIMD8<Float> {
  UnsafeRawPointer(p).loadUnaligned(as: SIMD8<Float>.self)
}
