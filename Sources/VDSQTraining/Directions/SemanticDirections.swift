package import VDSQ
package import VDSQFormat
package import VDSQInference
import VDSQFiles
package import VDSQSemantics

/// Directions of a layer's states with a meaning, found from texts (docs/directions.md).
package struct SemanticDirections {
  /// How directions are found.
  package enum Method: String, Sendable, CaseIterable {
    /// `mean`, `lda`: from two sets of texts (`ContrastDirection`). `pca`: the principal components
    /// of states. `jacobian`: those to which the model reacts most (`SteeringJacobian`).
    case mean, lda, pca, jacobian

    var contrast: ContrastDirection.Method? { ContrastDirection.Method(rawValue: rawValue) }
    /// Whether two sets of texts are needed.
    package var isSupervised: Bool { contrast != nil }
  }

  /// How directions are found.
  package struct Options: Sendable {
    package var method = Method.mean
    package var tokens = LayerStates.Tokens.own
    /// The layer; nil for the best one of two sets of a language model, and else the last layer of
    /// a sentence encoder and the middle one of a language model.
    package var layer: Int?
    /// The number of directions that are found without labels.
    package var count = 4
    /// Vectors that directions are made orthogonal to.
    package var orthogonalTo: [[Float]] = []

    package init() {}
  }

  /// The layer behind which the directions are.
  package let layer: Int
  package let method: Method
  /// `[count][hidden size]`, each of length 1.
  package let vectors: [[Float]]
  /// The mean cosine of the texts' states to each.
  package let offsets: [Float]
  /// Of two sets of texts, the held-out AUC of the direction of each layer, the embeddings first;
  /// otherwise empty.
  package let areas: [Double]
  /// The share of the variance, or of the squared reaction, of each; empty for two sets.
  package let shares: [Float]
  private let modelIdentity: UInt32

  /// Finds the direction from texts of one label to texts of another.
  ///
  /// - Parameters:
  ///   - isPositive: for each text, whether it is of the label that the direction leads to.
  ///   - advance: called with the share that is done.
  /// - Throws: `usage` for a layer that the model does not have, or if a label has fewer than four
  ///   texts; what the model throws.
  package init(
    _ texts: [String], isPositive: [Bool], encoder: TextEncoder, options: Options,
    advance: (Double) -> Void = { _ in }
  ) throws(VDSQError) {
    guard let contrast = options.method.contrast else {
      throw .usage("principal components and Jacobians need no labels; leave them out")
    }
    if let layer = options.layer { _ = try Self.layer(layer, encoder) }
    let states = try LayerStates(texts, encoder: encoder, tokens: options.tokens) {
      advance(0.8 * Double($0) / Double(texts.count))
    }
    let finders = states.layers.map {
      ContrastDirection(
        $0, isPositive: isPositive, method: contrast, arithmetic: encoder.arithmetic)
    }
    var areas: [Double] = []
    for finder in finders {
      guard let area = finder.heldOutAUC() else {
        throw .usage("each of both labels needs at least four texts, some of which are held out")
      }
      areas.append(area)
      advance(0.8 + 0.2 * Double(areas.count) / Double(finders.count))
    }
    // The embeddings know no context, and behind the last layer little follows.
    let inner = areas.indices.dropFirst().dropLast()
    let best = inner.max { areas[$0] < areas[$1] } ?? areas.count - 1
    let layer = options.layer ?? (encoder.kind == .sentences ? encoder.layers : best)
    try self.init(
      [finders[layer].vector()], shares: [], areas: areas, states.layers[layer], layer: layer,
      encoder, options)
  }

  /// Finds directions of texts without labels.
  ///
  /// - Throws: `usage` for a layer that the model does not have, or a method that needs labels;
  ///   what the model throws.
  package init(
    _ texts: [String], encoder: TextEncoder, options: Options,
    advance: (Double) -> Void = { _ in }
  ) throws(VDSQError) {
    let layer = try Self.layer(
      options.layer ?? (encoder.kind == .sentences ? encoder.layers : max(1, encoder.layers / 2)),
      encoder)
    let share = options.method == .jacobian ? 0.1 : 1
    let states = try LayerStates(texts, encoder: encoder, tokens: options.tokens) {
      advance(share * Double($0) / Double(texts.count))
    }.layers[layer]
    let found: (vectors: [[Float]], shares: [Float])
    switch options.method {
    case .pca:
      let (components, variance) = CentredStates(states).principalComponents(
        options.count, arithmetic: encoder.arithmetic)
      found = (components.rows, components.shares(of: variance))
    case .jacobian:
      found = try SteeringJacobian(texts, encoder: encoder, layer: layer) {
        advance(share + (1 - share) * $0)
      }.singularVectors(options.count)
    case .mean, .lda:
      throw .usage("a difference of two sets needs texts of two labels")
    }
    try self.init(
      found.vectors, shares: found.shares, areas: [], states, layer: layer, encoder, options)
  }

  private static func layer(_ layer: Int, _ encoder: TextEncoder) throws(VDSQError) -> Int {
    guard layer >= 0, layer <= encoder.layers else {
      throw .usage("the model has no layer \(layer); layers are 0 to \(encoder.layers)")
    }
    return layer
  }

  private init(
    _ found: [[Float]], shares: [Float], areas: [Double], _ states: FeatureMatrix, layer: Int,
    _ encoder: TextEncoder, _ options: Options
  ) throws(VDSQError) {
    self.layer = layer
    method = options.method
    self.areas = areas
    self.shares = shares
    modelIdentity = encoder.container.identity
    let basis = Self.orthonormal(options.orthogonalTo)
    let vectors = found.map { Self.removing(basis, from: $0) }
    guard vectors.allSatisfy({ $0.contains { $0 != 0 } }) else {
      throw .usage("a direction has no length: both sets have the same mean, or nothing varies")
    }
    var sums = [Double](repeating: 0, count: vectors.count)
    for row in 0..<states.rows {
      states.withRow(row) { state in
        let norm = (0..<states.columns).reduce(0.0) {
          $0 + Double(state[$1]) * Double(state[$1])
        }.squareRoot()
        guard norm > 0 else { return }
        for i in sums.indices {
          sums[i] +=
            (0..<states.columns).reduce(0.0) {
              $0 + Double(state[$1]) * Double(vectors[i][$1])
            } / norm
        }
      }
    }
    self.vectors = vectors
    offsets = sums.map { Float($0 / Double(max(1, states.rows))) }
  }

  /// An orthonormal basis of the span of some vectors.
  private static func orthonormal(_ others: [[Float]]) -> [[Float]] {
    var basis: [[Float]] = []
    for var other in others {
      for known in basis { subtract(known, from: &other) }
      let unit = ContrastDirection.unit(other)
      if unit.contains(where: { $0 != 0 }) { basis.append(unit) }
    }
    return basis
  }

  /// A vector without its part in the span of an orthonormal basis, of length 1; zeros if nothing
  /// is left.
  private static func removing(_ basis: [[Float]], from vector: [Float]) -> [Float] {
    var left = vector
    for known in basis { subtract(known, from: &left) }
    let square = left.reduce(0.0) { $0 + Double($1) * Double($1) }
    return square > 1e-10 ? ContrastDirection.unit(left) : left.map { _ in 0 }
  }

  private static func subtract(_ unit: [Float], from vector: inout [Float]) {
    let dot = zip(unit, vector).reduce(0.0) { $0 + Double($1.0) * Double($1.1) }
    for i in vector.indices { vector[i] -= Float(dot) * unit[i] }
  }

  /// Writes the file of the directions.
  ///
  /// - Returns: its length in bytes.
  /// - Throws: `usage` if it cannot be written.
  package func write(to path: String, replace: Bool) throws(VDSQError) -> Int {
    let writer = try ContainerWriter(
      path: path, kind: .directions, sectionCount: 3, replace: replace)
    var metadata = Metadata()
    metadata.set("architecture", .text("directions"))
    metadata.set("model_identity", .integer(Int(modelIdentity)))
    metadata.set("layer", .integer(layer))
    metadata.set("count", .integer(vectors.count))
    metadata.set("method", .text(method.rawValue))
    try writer.add(.metadata, "metadata", metadata.encoded())
    try writer.begin(.weights, "directions")
    try writer.add(
      "directions.vectors", .float32, vectors.flatMap { $0 }.map(\.bitPattern.littleEndian),
      [vectors.count, vectors[0].count])
    try writer.add(
      "directions.offsets", .float32, offsets.map(\.bitPattern.littleEndian), [vectors.count])
    try writer.end()
    return try writer.finish()
  }
}

extension SemanticDirections {
  /// For each labelled text, whether its label is the one that a direction leads to.
  ///
  /// - Parameter label: nil for the label of the first text.
  /// - Throws: `usage` unless there are two labels, one of which it is.
  package static func sides(
    _ texts: [Examples.Example], toward label: String?
  ) throws(VDSQError) -> [Bool] {
    let names = Examples.labels(of: texts).map(\.name)
    guard names.count == 2 else {
      throw .usage(
        "a direction leads from one label to another; there are \(names.count): "
          + names.prefix(4).joined(separator: ", ") + (names.count > 4 ? ", ..." : ""))
    }
    let wanted = label ?? names[0]
    guard names.contains(where: { $0.hasSameBytes(as: wanted) }) else {
      throw .usage("no text has the label \(wanted); labels are \(names.joined(separator: ", "))")
    }
    return texts.map { $0.label.hasSameBytes(as: wanted) }
  }

  /// The maximum number of bytes that finding directions takes beside the model.
  package static func bytes(
    _ texts: Int, _ method: Method, _ model: Container
  ) throws(VDSQError) -> Int {
    let architecture = try Architecture(model.metadata)
    let (d, layers) = (architecture.hiddenSize, architecture.layers)
    let states = LayerStates.bytes(texts: texts, layers: layers, columns: d)
    // A covariance with its factor; or Jacobians, in columns and in rows, and their product.
    let matrices = method == .jacobian ? 2 * texts * d * d + d * d : 4 * d * d
    return states + 4 * (matrices + (layers + 1) * d + 2 * PackedMatrix.blockLength * d)
      + model.vocabularyBytes
  }
}
