import VDSQFormat
import VDSQInference

/// What makes up for the rounding of a model's linear layers, layer after layer.
final class RoundingInputs {
  /// One of so many tokens is held out, to see whether the others help.
  private static let heldOut = 5
  /// The number of rows of weights that are rounded to see it.
  private static let sampledRows = 48

  private let inputs: CalibrationInputs
  /// The columns of a group of weights.
  private let groups: Int
  private let layers: Int
  private let algebra: LinearAlgebra
  /// The layers that were read last, and the rows of their inputs.
  private var range = 0..<0
  private var sample: InputSample?

  /// - Parameters:
  ///   - path: the path of a draft of the model. The inputs of its layers are those of the weights.
  ///   - groups: the columns of a group of weights.
  ///   - streams: whether memory is small.
  init(
    draft path: String, _ architecture: Architecture, groups: Int, streams: Bool
  ) throws(VDSQError) {
    self.groups = groups
    inputs = try CalibrationInputs(
      draft: path, architecture, for: .rounding, streams: streams)
    layers = architecture.layers
    // The order of sums, and so the file, would depend on the number of threads.
    algebra = try LinearAlgebra(threads: 1, portable: true)
  }

  /// Whether an architecture's layers have inputs of their own.
  static func support(_ architecture: Architecture) -> Bool { architecture.layersPerGroup == 1 }

  /// The bytes that the feedback of the widest layer takes at its peak.
  static func bytes(_ architecture: Architecture) -> Int {
    let widest = max(
      architecture.hiddenSize, architecture.queryWidth, architecture.intermediateSize)
    return widest * widest * (8 + 4)
  }

  /// The input of weights, by their name within the layer; nil if no pass shows it.
  private static func input(of weights: String) -> LinearInput? {
    switch weights {
    case "attention.qkv.weight": .attention
    case "attention.output.weight": .attentionOutput
    case "feed_forward.up.weight": .feedForward
    case "feed_forward.down.weight": .feedForwardDown
    default: nil
    }
  }

  /// The feedback of the weights of a layer.
  ///
  /// - Parameters:
  ///   - weights: the layer's weights.
  ///   - name: their name within the layer.
  /// - Returns: nil if no pass shows their input, or if products with held-out tokens lose less by
  ///   rounding to the nearest, as they may if the weights had four bits before.
  /// - Throws: `badInput` if the draft fails, or weights cannot be read.
  func feedback(
    for weights: RowSource, named name: String, layer: Int
  ) throws(VDSQError) -> RoundingFeedback? {
    guard let input = Self.input(of: name) else { return nil }
    if !range.contains(layer) {
      sample = nil
      range = layer..<min(layer + inputs.layersTogether, layers)
      sample = try inputs.sample(range)
    }
    let columns = weights.columns
    var rows = sample!.rows(input, layer: layer)
    let count = rows.count / columns
    guard count >= 2 * Self.heldOut else { return nil }
    rows.withUnsafeMutableBufferPointer { rows in
      for row in 0..<count { Self.normalize(rows.baseAddress! + row * columns, columns) }
    }
    let all = 0..<count
    guard
      let trial = self.feedback(of: rows, columns, all.filter { $0 % Self.heldOut != 0 })
    else { return nil }
    let sampled = try weights.sample(atMost: Self.sampledRows)
    let corrected = loss(of: sampled, columns, rows, trial)
    guard corrected < loss(of: sampled, columns, rows, nil) else { return nil }
    return self.feedback(of: rows, columns, Array(all))
  }

  /// The feedback by some of the rows of an input.
  private func feedback(
    of rows: [Float], _ columns: Int, _ used: [Int]
  ) -> RoundingFeedback? {
    let together = 64
    var moments = [Double](repeating: 0, count: columns * columns)
    var block: [Double] = []
    for first in stride(from: 0, to: used.count, by: together) {
      block.removeAll(keepingCapacity: true)
      let last = min(first + together, used.count)
      for row in used[first..<last] {
        for j in 0..<columns { block.append(Double(rows[row * columns + j])) }
      }
      algebra.addProduct(block, n: columns, k: last - first, to: &moments)
    }
    return RoundingFeedback(moments: &moments, columns: columns, algebra)
  }

  /// Gives a row the length 1, so that all tokens have the same weight.
  private static func normalize(_ row: UnsafeMutablePointer<Float>, _ columns: Int) {
    var square = 0.0
    for j in 0..<columns { square += Double(row[j]) * Double(row[j]) }
    guard square > 0 else { return }
    let scale = Float(1 / square.squareRoot())
    for j in 0..<columns { row[j] *= scale }
  }

  /// The squared error of products of rounded weights with the rows that are held out.
  ///
  /// - Parameters:
  ///   - weights: rows of weights, one after another.
  ///   - rows: rows of inputs.
  private func loss(
    of weights: [Float], _ columns: Int, _ rows: [Float], _ feedback: RoundingFeedback?
  ) -> Double {
    var quantizer = FourBitQuantizer(columns: columns, groups: groups)
    var meter = ErrorMeter()
    var lost = 0.0
    var error = [Float](repeating: 0, count: columns)
    for row in 0..<weights.count / columns {
      weights.withUnsafeBufferPointer {
        quantizer.quantize($0.baseAddress! + row * columns, feedback: feedback, &meter)
      }
      for j in 0..<columns { error[j] = weights[row * columns + j] - quantizer.value(j) }
      for token in stride(from: 0, to: rows.count / columns, by: Self.heldOut) {
        var product = SIMD8<Float>(repeating: 0)
        error.withUnsafeBufferPointer { error in
          rows.withUnsafeBufferPointer { rows in
            let input = UnsafeRawPointer(rows.baseAddress! + token * columns)
            let error = UnsafeRawPointer(error.baseAddress!)
            for j in stride(from: 0, to: columns * 4, by: 32) {
              product +=
                input.loadUnaligned(fromByteOffset: j, as: SIMD8<Float>.self)
                * error.loadUnaligned(fromByteOffset: j, as: SIMD8<Float>.self)
            }
          }
        }
        let sum = Double(product.sum())
        lost += sum * sum
      }
    }
    return lost
  }
}
