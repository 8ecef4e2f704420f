public import VDSQFormat
public import VDSQInference

/// Directions by which the states of a layer are to be steered, each with a factor: bases of
/// tokens, and other vectors.
///
///     var directions = SteeringDirections()
///     directions.add(token: " Paris", factor: 0.5)
///     try encoder.steer(try directions.steering(of: encoder))
///
/// Each direction is scaled to length 1 and multiplied by its factor. Their sum, times the length
/// of a state, is added to the state (`Steering`).
public struct SteeringDirections: Sendable {
  private enum Source: Sendable {
    case token(String)
    case vector([Float], name: String)
  }

  private var sources: [(Source, factor: Float)] = []
  /// The layer whose states are changed: 0 for the embeddings. Nil means the middle layer.
  public var layer: Int?

  /// No directions.
  public init() {}

  /// Whether there are no directions.
  public var isEmpty: Bool { sources.isEmpty }

  /// Adds the basis of a token.
  ///
  /// - Parameters:
  ///   - token: its text, spaces included, or its id.
  ///   - factor: in multiples of the length of a state; below 0 for away from the basis.
  public mutating func add(token: String, factor: Float) {
    sources.append((.token(token), factor))
  }

  /// Adds a vector of any length above 0.
  ///
  /// - Parameters:
  ///   - vector: `[hidden size]`.
  ///   - factor: in multiples of the length of a state.
  ///   - name: what error messages call it.
  public mutating func add(vector: [Float], factor: Float, name: String) {
    sources.append((.vector(vector, name: name), factor))
  }

  /// The steering of a model's states.
  ///
  /// - Parameter onNote: called with a line for a person if a token's name is ambiguous.
  /// - Throws: `usage` for an unknown token or layer, or a direction of another number of
  ///   dimensions than the states; `badInput` if the file has no bases.
  public func steering(
    of encoder: TextEncoder, onNote: (String) -> Void = { _ in }
  ) throws(VDSQError) -> Steering {
    try steering(of: encoder, bases: nil, onNote: onNote)
  }

  /// The same with other bases than those of the model's file.
  package func steering(
    of encoder: TextEncoder, bases: VocabularyRows?, onNote: (String) -> Void = { _ in }
  ) throws(VDSQError) -> Steering {
    let d = encoder.hiddenSize
    var shift = [Float](repeating: 0, count: d)
    for (source, factor) in sources {
      var (direction, name): ([Float], String)
      switch source {
      case .vector(let vector, let given): (direction, name) = (vector, given)
      case .token(let token):
        name = "the basis of \(token)"
        let rows = if let bases { bases } else { try VocabularyRows(bases: encoder) }
        let named = try NamedToken(
          token, tokenizer: encoder.tokenizer, count: rows.count, option: "steering")
        if let note = named.note { onNote(note) }
        direction = rows.unitRow(Int(named.id), encoder.kernels)
      }
      guard direction.count == d else {
        throw .usage(
          "steering: \(name) has \(counted(direction.count, "dimension")), and the layers of "
            + "\(encoder.container.path) \(d)")
      }
      let norm = direction.withUnsafeBufferPointer { length($0.baseAddress!, d) }
      guard norm > 0, norm.isFinite else {
        throw .usage("steering: \(name) has no direction: its length is 0 or not finite")
      }
      for i in 0..<d { shift[i] += direction[i] * factor / norm }
    }
    return Steering(layer: layer ?? max(1, encoder.layers / 2), shift: shift)
  }
}

extension TextEncoder {
  /// Steers the states of a layer, or none if there are no directions.
  ///
  /// - Parameters: those of `SteeringDirections.steering(of:bases:onNote:)`.
  /// - Throws: its errors; `usage` if the model has no such layer.
  package func steer(
    _ directions: SteeringDirections, bases: VocabularyRows? = nil,
    onNote: (String) -> Void = { _ in }
  ) throws(VDSQError) {
    guard !directions.isEmpty else { return }
    try steer(try directions.steering(of: self, bases: bases, onNote: onNote))
  }
}
