import VDSQFiles
package import VDSQFormat
package import VDSQInference

/// Fits the translators of a tuned lens by ridge regression, and writes their file
/// (docs/vocabulary-semantics.md, "Lens").
///
/// For each layer l, from the states x of all tokens and the states y of the last layer:
///
///     min sum_i w_i |y_i - x_i - R x_i - b|^2 + lambda |R|^2,   w_i = 1 / (|x_i|^2 + |y_i|^2)
///
/// The weights keep a few tokens with huge states, as the first of a text often has, from deciding
/// everything. lambda is chosen for each layer on every tenth text, and all texts then fit R.
package struct TunedLensFit {
  /// The result for a layer.
  package struct Layer: Sendable {
    /// The penalty, as a share of the mean weighted square of a dimension.
    package let lambda: Double
    /// The weighted squared distance to the last layer's states, on the texts that were held out:
    /// of the states as they are, and translated without these texts.
    package let before, after: Double
  }

  /// The penalties that are tried.
  private static let lambdas = [1e-4, 1e-3, 1e-2, 1e-1]
  /// One text of so many is held out.
  private static let heldOut = 10

  private let encoder: TextEncoder
  private let texts: [String]
  private let algebra: LinearAlgebra
  private let d: Int
  private let layersAtATime: Int

  /// - Parameters:
  ///   - encoder: a language model.
  ///   - texts: at least two.
  ///   - layersAtATime: the layers whose moments are in memory together. The model reads all texts
  ///     again for each such group.
  /// - Throws: `usage` for another model or fewer texts; `missingInput` without OpenBLAS.
  package init(
    _ encoder: TextEncoder, texts: [String], layersAtATime: Int
  ) throws(VDSQError) {
    guard encoder.kind != .sentences else {
      throw .usage("a tuned lens is for language models; a sentence encoder has no LM head")
    }
    guard texts.count >= 2 else { throw .usage("a tuned lens needs at least two texts") }
    self.encoder = encoder
    self.texts = texts
    self.layersAtATime = layersAtATime
    algebra = try LinearAlgebra(threads: encoder.options.threads, portable: true)
    d = encoder.hiddenSize
  }

  /// The number of times that the model reads all texts.
  package var passes: Int { (encoder.layers + layersAtATime - 1) / layersAtATime }

  /// The bytes that the fit takes beside the model and the states of a text.
  ///
  /// - Parameters:
  ///   - layers: the layers whose moments are in memory together.
  ///   - d: the number of dimensions of a state.
  package static func bytes(layersAtATime layers: Int, dimensions d: Int) -> Int {
    // Four matrices of moments and their waiting rows for each layer; those of a solution.
    layers * 8 * (4 * d * d + 4 * Moments.rows * d) + 8 * 8 * d * d
  }

  /// Fits all layers and writes the file.
  ///
  /// - Parameter progress: called with the share that is done.
  /// - Throws: `usage` if the file cannot be written; `badInput` if the model fails.
  package func write(
    to path: String, replace: Bool, progress: (Double) -> Void
  ) throws(VDSQError) -> (layers: [Layer], tokens: Int, bytes: Int) {
    let writer = try ContainerWriter(path: path, kind: .lens, sectionCount: 3, replace: replace)
    var metadata = Metadata()
    metadata.set("architecture", .text("tuned-lens"))
    metadata.set("dimensions", .integer(d))
    metadata.set("layers", .integer(encoder.layers))
    metadata.set("model_identity", .integer(Int(encoder.container.identity)))
    try writer.add(.metadata, "metadata", metadata.encoded())
    try writer.begin(.weights, "lens")
    var layers: [Layer] = []
    var tokens = 0
    while layers.count < encoder.layers {
      let group = layers.count..<min(layers.count + layersAtATime, encoder.layers)
      let moments = group.map { _ in (own: Moments(d), held: Moments(d)) }
      tokens = try observe(group, moments) {
        progress((Double(group.lowerBound) + $0 * Double(group.count)) / Double(encoder.layers))
      }
      for (i, layer) in group.enumerated() {
        let (result, matrix, bias) = try solve(moments[i].own, moments[i].held)
        layers.append(result)
        try writer.add("lens.\(layer).weight", .float16, matrix, [d, d])
        try writer.add("lens.\(layer).bias", .float32, bias, [d])
      }
    }
    try writer.end()
    return (layers, tokens, try writer.finish())
  }

  /// Weighted sums over tokens: of x, of y - x, and of their products.
  private final class Moments {
    private(set) var weight = 0.0
    private(set) var x: [Double]
    private(set) var y: [Double]
    /// `[d, d]`: sums of x x^T, and of x (y - x)^T, in column order.
    private(set) var xx: [Double]
    private(set) var xy: [Double]
    private(set) var yy = 0.0
    /// Weighted rows that are not in the products yet, `[rows, d]`.
    private var waitingX: [Double] = []
    private var waitingY: [Double] = []
    private let d: Int

    /// The number of rows that are multiplied at a time.
    static let rows = 256

    init(_ d: Int) {
      self.d = d
      x = [Double](repeating: 0, count: d)
      y = x
      xx = [Double](repeating: 0, count: d * d)
      xy = xx
    }

    /// Adds the states of some tokens, `[tokens, d]`.
    ///
    /// - Returns: whether they are finite.
    func add(
      _ own: UnsafeBufferPointer<Float>, last: UnsafeBufferPointer<Float>, _ algebra: LinearAlgebra
    ) -> Bool {
      for token in stride(from: 0, to: own.count, by: d) {
        var square = 0.0
        for j in token..<token + d {
          square += Double(own[j]) * Double(own[j]) + Double(last[j]) * Double(last[j])
        }
        guard square.isFinite else { return false }
        guard square > 0 else { continue }
        let share = 1 / square, root = share.squareRoot()
        weight += share
        for j in 0..<d {
          let a = Double(own[token + j]), b = Double(last[token + j]) - a
          x[j] += share * a
          y[j] += share * b
          yy += share * b * b
          waitingX.append(root * a)
          waitingY.append(root * b)
        }
        if waitingX.count == Self.rows * d { multiply(algebra) }
      }
      return true
    }

    /// Brings all rows into the products.
    func multiply(_ algebra: LinearAlgebra) {
      let count = waitingX.count / d
      guard count > 0 else { return }
      algebra.addProduct(waitingX, n: d, k: count, to: &xx)
      var product = [Double](repeating: 0, count: d * d)
      algebra.multiply(
        waitingX, waitingY, m: d, n: d, k: count, transposed: true, into: &product)
      for i in product.indices { xy[i] += product[i] }
      waitingX.removeAll(keepingCapacity: true)
      waitingY.removeAll(keepingCapacity: true)
    }

    func add(_ other: Moments) {
      weight += other.weight
      yy += other.yy
      for i in x.indices {
        x[i] += other.x[i]
        y[i] += other.y[i]
      }
      for i in xx.indices {
        xx[i] += other.xx[i]
        xy[i] += other.xy[i]
      }
    }
  }

  /// Runs the model over all texts.
  ///
  /// - Returns: the number of tokens.
  private func observe(
    _ group: Range<Int>, _ moments: [(own: Moments, held: Moments)], progress: (Double) -> Void
  ) throws(VDSQError) -> Int {
    var tokens = 0
    for (index, text) in texts.enumerated() {
      let (ids, states) = try Array(text.utf8).withBytes { (raw) throws(VDSQError) in
        try encoder.rawStates(of: raw)
      }
      tokens += ids.count
      let size = ids.count * d
      // Of fewer texts, the last one is held out.
      let isHeldOut = index % Self.heldOut == min(Self.heldOut, texts.count) - 1
      let areFinite = states.withUnsafeBufferPointer { states in
        func layer(_ index: Int) -> UnsafeBufferPointer<Float> {
          UnsafeBufferPointer(rebasing: states[index * size..<(index + 1) * size])
        }
        return zip(group, moments).allSatisfy {
          (isHeldOut ? $1.held : $1.own).add(
            layer($0), last: layer(encoder.layers), algebra)
        }
      }
      guard areFinite else {
        throw .badInput("\(encoder.container.path): the model's states are not finite")
      }
      progress(Double(index + 1) / Double(texts.count))
    }
    for (own, held) in moments {
      own.multiply(algebra)
      held.multiply(algebra)
    }
    return tokens
  }

  /// The matrix of the regression in column order, `[d, d]` with inputs as rows; nil if the system
  /// is singular.
  private func weights(_ m: Moments, lambda: Double) -> [Double]? {
    var gram = [Double](repeating: 0, count: d * d)
    var cross = gram
    var trace = 0.0
    for column in 0..<d {
      for row in column..<d {
        gram[column * d + row] =
          m.xx[column * d + row] - m.x[column] * m.x[row] / m.weight
      }
      for row in 0..<d {
        cross[column * d + row] = m.xy[column * d + row] - m.x[row] * m.y[column] / m.weight
      }
      trace += gram[column * d + column]
    }
    for i in 0..<d { gram[i * d + i] += lambda * trace / Double(d) }
    guard trace > 0, algebra.invert(&gram, n: d) else { return nil }
    var w = [Double](repeating: 0, count: d * d)
    algebra.multiply(gram, cross, m: d, n: d, k: d, into: &w)
    return w
  }

  /// The weighted squared error of the translation on held-out texts, about the means of `m`.
  private func error(_ w: [Double], _ m: Moments, on held: Moments) -> Double {
    var xx = [Double](repeating: 0, count: d * d)
    var linear = 0.0
    let meanX = m.x.map { $0 / m.weight }, meanY = m.y.map { $0 / m.weight }
    var yy = held.yy
    for column in 0..<d {
      for row in column..<d {
        let value =
          held.xx[column * d + row] - meanX[row] * held.x[column] - meanX[column] * held.x[row]
          + held.weight * meanX[row] * meanX[column]
        xx[column * d + row] = value
        xx[row * d + column] = value
      }
      for row in 0..<d {
        let value =
          held.xy[column * d + row] - meanX[row] * held.y[column] - meanY[column] * held.x[row]
          + held.weight * meanX[row] * meanY[column]
        linear += w[column * d + row] * value
      }
      yy += held.weight * meanY[column] * meanY[column] - 2 * meanY[column] * held.y[column]
    }
    var product = [Double](repeating: 0, count: d * d)
    algebra.multiply(xx, w, m: d, n: d, k: d, into: &product)
    var square = 0.0
    for i in w.indices { square += product[i] * w[i] }
    return yy - 2 * linear + square
  }

  private func solve(
    _ m: Moments, _ held: Moments
  ) throws(VDSQError) -> (Layer, matrix: [UInt8], bias: [UInt8]) {
    var best: (lambda: Double, error: Double)?
    for lambda in Self.lambdas {
      guard let w = weights(m, lambda: lambda) else { continue }
      let error = error(w, m, on: held)
      if best.map({ error < $0.error }) ?? true { best = (lambda, error) }
    }
    m.add(held)
    // A layer whose states do not vary, or that are the last ones already, is left as it is.
    var w = [Double](repeating: 0, count: d * d)
    var bias = [Double](repeating: 0, count: d)
    if let best, best.error < held.yy, let all = weights(m, lambda: best.lambda) {
      w = all
      for column in 0..<d {
        bias[column] = m.y[column] / m.weight
        for row in 0..<d { bias[column] -= w[column * d + row] * m.x[row] / m.weight }
      }
    }
    guard w.allSatisfy({ $0.magnitude < 65504 }), bias.allSatisfy(\.isFinite) else {
      throw VDSQError(.internalFault, "the regression of a layer did not succeed")
    }
    // In column order with inputs as rows, an output's weights lie side by side.
    var matrix = ByteWriter(), shift = ByteWriter()
    for value in w { matrix.append(Float16(value).bitPattern) }
    for value in bias { shift.append(Float(value)) }
    return (
      Layer(
        lambda: best?.lambda ?? 0, before: held.yy, after: min(held.yy, best?.error ?? held.yy)),
      matrix.bytes, shift.bytes
    )
  }
}
