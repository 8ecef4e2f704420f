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
  /// The bytes of moments that are kept at a time: the model runs again for each group of layers.
  private static let momentBytes = 64 << 20

  private let encoder: TextEncoder
  private let texts: [String]
  private let algebra: LinearAlgebra
  private let d: Int

  /// - Parameters:
  ///   - encoder: a language model.
  ///   - texts: at least two.
  /// - Throws: `usage` for another model or fewer texts; `missingInput` without OpenBLAS.
  package init(_ encoder: TextEncoder, texts: [String]) throws(VDSQError) {
    guard encoder.kind != .sentences else {
      throw .usage("a tuned lens is for language models; a sentence encoder has no LM head")
    }
    guard texts.count >= 2 else { throw .usage("a tuned lens needs at least two texts") }
    self.encoder = encoder
    self.texts = texts
    algebra = try LinearAlgebra(threads: encoder.options.threads, portable: true)
    d = encoder.hiddenSize
  }

  /// The number of times that the model reads all texts.
  package var passes: Int { (encoder.layers + layersAtATime - 1) / layersAtATime }

  private var layersAtATime: Int { max(1, Self.momentBytes / (4 * d * d * 8)) }

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
      var moments = group.map { _ in (Moments(d), Moments(d)) }
      tokens = try observe(group, into: &moments) {
        progress((Double(group.lowerBound) + $0 * Double(group.count)) / Double(encoder.layers))
      }
      for (i, layer) in group.enumerated() {
        let (result, matrix, bias) = try solve(&moments[i].0, moments[i].1)
        layers.append(result)
        try add("lens.\(layer).weight", .float16, matrix, [d, d], writer)
        try add("lens.\(layer).bias", .float32, bias, [d], writer)
      }
    }
    try writer.end()
    return (layers, tokens, try writer.finish())
  }

  private func add(
    _ name: String, _ element: ElementType, _ bytes: [UInt8], _ shape: [Int],
    _ writer: ContainerWriter
  ) throws(VDSQError) {
    let start = try bytes.withBytes { (raw) throws(VDSQError) in try writer.part(raw) }
    writer.add(
      TensorRecord(
        name: name, element: element, order: .rowMajor, shape: shape, section: writer.sectionIndex,
        dataOffset: start, dataLength: bytes.count, scalesOffset: 0, rowSumsOffset: 0,
        error: QuantizationError(maxAbs: 0, rms: 0, cosine: 1)))
  }

  /// Weighted sums over tokens: of x, of y - x, and of their products.
  private struct Moments {
    var weight = 0.0
    var x: [Double]
    var y: [Double]
    /// `[d, d]`: sums of x x^T, and of x (y - x)^T, in column order.
    var xx: [Double]
    var xy: [Double]
    var yy = 0.0

    init(_ d: Int) {
      x = [Double](repeating: 0, count: d)
      y = x
      xx = [Double](repeating: 0, count: d * d)
      xy = xx
    }

    mutating func add(_ other: Moments) {
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
    _ group: Range<Int>, into moments: inout [(Moments, Moments)], progress: (Double) -> Void
  ) throws(VDSQError) -> Int {
    var tokens = 0
    var product = [Double](repeating: 0, count: d * d)
    for (index, text) in texts.enumerated() {
      let (ids, states) = try Array(text.utf8).withBytes { (raw) throws(VDSQError) in
        try encoder.rawStates(of: raw)
      }
      let count = ids.count
      tokens += count
      let last = states[(encoder.layers * count * d)...]
      let isHeldOut =
        index % Self.heldOut == Self.heldOut - 1 || (index == 1 && texts.count < Self.heldOut)
      for (place, layer) in group.enumerated() {
        let own = states[(layer * count * d)..<((layer + 1) * count * d)]
        var x = [Double](repeating: 0, count: count * d)
        var y = x
        var sums = isHeldOut ? moments[place].1 : moments[place].0
        if isHeldOut { moments[place].1 = Moments(0) } else { moments[place].0 = Moments(0) }
        for token in 0..<count {
          var square = 0.0
          for j in 0..<d {
            let a = Double(own[own.startIndex + token * d + j])
            let b = Double(last[last.startIndex + token * d + j])
            (x[token * d + j], y[token * d + j]) = (a, b - a)
            square += a * a + b * b
          }
          guard square.isFinite else {
            throw .badInput("\(encoder.container.path): the model's states are not finite")
          }
          let root = square > 0 ? 1 / square.squareRoot() : 0
          sums.weight += root * root
          for j in 0..<d {
            sums.x[j] += root * root * x[token * d + j]
            sums.y[j] += root * root * y[token * d + j]
            x[token * d + j] *= root
            y[token * d + j] *= root
            sums.yy += y[token * d + j] * y[token * d + j]
          }
        }
        algebra.addProduct(x, n: d, k: count, to: &sums.xx)
        algebra.multiply(x, y, m: d, n: d, k: count, transposed: true, into: &product)
        for i in product.indices { sums.xy[i] += product[i] }
        if isHeldOut { moments[place].1 = sums } else { moments[place].0 = sums }
      }
      progress(Double(index + 1) / Double(texts.count))
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
    _ m: inout Moments, _ held: Moments
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
