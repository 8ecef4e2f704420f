package import VDSQFormat
import VDSQInference
package import VDSQKernels
import VDSQSemantics

/// The directions of a language model's final states, before the final norm, that change the
/// difference of two tokens' logits, and all logits together least.
///
/// With the gain g of the final norm and rows w_v of the head, the logits' difference of y and o is
/// c^T h / s + k, where c = g (w_y - w_o) and s is the norm's divisor. G = sum_v (g w_v)(g w_v)^T
/// is the metric of all logits. The direction d = G^-1 c / (c^T G^-1 c) has c^T d = 1, and the
/// least d^T G d of all that do (docs/repair.md). A LayerNorm subtracts the mean, so c and the rows
/// do.
package struct LogitDirections {
  /// The difference of two tokens' logits at a state.
  package struct Gap {
    /// `z_y - z_o`, in logits.
    package let value: Float
    /// The direction d, `hiddenSize` floats.
    package let direction: [Float]
    /// `c^T h`, and k.
    fileprivate let product, constant: Double
    /// `s^2` at `h + x d` is `square + 2 x cross + x^2 own`.
    fileprivate let square, cross, own: Double

    private func divisor(_ multiple: Double) -> Double {
      max(0, square + multiple * (2 * cross + multiple * own)).squareRoot()
    }

    /// The multiple of the direction whose sum with the state has another difference of logits.
    ///
    /// The divisor depends on it, so it is a fixed point: x = (z - k) s(h + x d) - c^T h. Where
    /// iterations lead away from it, the divisor of the state itself counts.
    package func multiple(for value: Float) -> Float {
      let wanted = Double(value) - constant
      let start = wanted * divisor(0) - product
      var multiple = start
      for _ in 0..<Self.iterations { multiple = wanted * divisor(multiple) - product }
      func error(_ x: Double) -> Double { ((product + x) / divisor(x) - wanted).magnitude }
      return Float(error(multiple) <= error(start) ? multiple : start)
    }

    private static let iterations = 50
  }

  private let rows: VocabularyRows
  private let kernels: KernelTable
  private let gain: [Float]
  /// The norm's bias; nil for none.
  private let bias: [Float]?
  /// Whether the norm subtracts the mean: it is a LayerNorm.
  private let isCentred: Bool
  private let epsilon: Float
  private let metric: CholeskyFactor

  /// The bytes that computing the metric takes.
  package static func bytes(_ c: Architecture) -> Int {
    // The metric, its factor, and a block of rows with its copies.
    4 * (2 * c.hiddenSize * c.hiddenSize + 4 * PackedMatrix.blockLength * c.hiddenSize)
  }

  /// - Throws: `badInput` if the container has no LM head, or the head has no rank.
  package init(
    _ container: Container, kernels: KernelTable, arithmetic: MatrixArithmetic
  ) throws(VDSQError) {
    let c = try Architecture(container.metadata), d = c.hiddenSize
    guard c.logitCap == nil else {
      throw .badInput("\(container.path): repairs of models with capped logits are not supported")
    }
    rows = try VocabularyRows(head: container)
    self.kernels = kernels
    gain = try container.finiteFloats("final_norm.weight", shape: [d])
    bias =
      container.find("final_norm.bias") == nil
      ? nil : try container.finiteFloats("final_norm.bias", shape: [d])
    isCentred = c.norm == .layerNorm
    epsilon = Float(c.normEpsilon)
    guard rows.dimensions == d else {
      throw .badInput("\(container.path): the LM head does not read the states of the last layer")
    }
    let sums = Floats(d * d)
    let block = Floats(PackedMatrix.blockLength * d)
    var scratch = [UInt8](repeating: 0, count: rows.scratchBytes)
    for first in stride(from: 0, to: rows.count, by: PackedMatrix.blockLength) {
      let count = min(PackedMatrix.blockLength, rows.count - first)
      for i in 0..<count {
        let row = block.p + i * d
        rows.headRow(first + i, kernels, &scratch, into: row)
        Self.scale(row, gain, isCentred: isCentred)
      }
      arithmetic.addProducts(of: block.p, rows: count, columns: d, to: sums.p)
    }
    var trace: Float = 0
    for i in 0..<d { trace += sums.p[i * d + i] }
    // A head of less rank than the state has directions that change no logit.
    let least = trace / Float(d) * 1e-6
    for i in 0..<d { sums.p[i * d + i] += least }
    guard
      let factor = CholeskyFactor(
        Array(UnsafeBufferPointer(start: sums.p, count: d * d)), size: d, arithmetic: arithmetic)
    else { throw .badInput("\(container.path): the LM head has rows that are not finite") }
    metric = factor
  }

  /// Multiplies a row by the gain, and subtracts its mean for a LayerNorm.
  private static func scale(_ row: UnsafeMutablePointer<Float>, _ gain: [Float], isCentred: Bool) {
    var sum: Float = 0
    for i in gain.indices {
      row[i] *= gain[i]
      sum += row[i]
    }
    guard isCentred else { return }
    let mean = sum / Float(gain.count)
    for i in gain.indices { row[i] -= mean }
  }

  /// The difference of the logits of a token and its rival at a state before the final norm.
  package func gap(
    of token: Int32, over rival: Int32, at state: UnsafePointer<Float>
  ) -> Gap {
    let d = gain.count
    var scratch = [UInt8](repeating: 0, count: rows.scratchBytes)
    var (c, other) = ([Float](repeating: 0, count: d), [Float](repeating: 0, count: d))
    rows.headRow(Int(token), kernels, &scratch, into: &c)
    rows.headRow(Int(rival), kernels, &scratch, into: &other)
    var constant = (rows.bias?[Int(token)] ?? 0) - (rows.bias?[Int(rival)] ?? 0)
    for i in 0..<d {
      c[i] -= other[i]
      if let bias { constant += c[i] * bias[i] }
    }
    c.withUnsafeMutableBufferPointer {
      Self.scale($0.baseAddress!, gain, isCentred: isCentred)
    }
    var (mean, square, product) = (0.0, 0.0, 0.0)
    if isCentred {
      for i in 0..<d { mean += Double(state[i]) / Double(d) }
    }
    for i in 0..<d {
      square += (Double(state[i]) - mean) * (Double(state[i]) - mean)
      product += Double(c[i]) * Double(state[i])
    }
    var direction = c
    direction.withUnsafeMutableBufferPointer { metric.solve($0.baseAddress!) }
    if isCentred {
      // The metric is singular along the mean, which the norm takes out of states anyway.
      let mean = direction.reduce(0, +) / Float(d)
      for i in 0..<d { direction[i] -= mean }
    }
    var length = 0.0
    for i in 0..<d { length += Double(direction[i]) * Double(c[i]) }
    // Equal rows have no direction that tells them apart.
    let scale = length > 0 ? Float(1 / length) : 0
    var (cross, own) = (0.0, 0.0)
    for i in 0..<d {
      direction[i] *= scale
      cross += (Double(state[i]) - mean) * Double(direction[i])
      own += Double(direction[i]) * Double(direction[i])
    }
    square = square / Double(d) + Double(epsilon)
    return Gap(
      value: Float(product / square.squareRoot()) + constant, direction: direction,
      product: product, constant: Double(constant), square: square, cross: cross / Double(d),
      own: own / Double(d))
  }
}
