public import VDSQFormat
public import VDSQInference

/// Directions by which the states of a layer are to be steered, each with a factor: bases of
/// tokens, directions of files, and other vectors; and directions that are to be removed.
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
    case file(String, index: Int)
  }

  private var sources: [(Source, factor: Float)] = []
  /// Files whose directions are removed, with the index of one of them, or nil for all.
  private var removed: [(path: String, index: Int?)] = []
  /// The layer whose states are changed: 0 for the embeddings. Nil means that of the files of
  /// directions, and without any the middle layer.
  public var layer: Int?

  /// No directions.
  public init() {}

  /// Whether there are no directions.
  public var isEmpty: Bool { sources.isEmpty && removed.isEmpty }

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

  /// Adds a direction of a file that `vdsq direction` made.
  ///
  /// - Parameters:
  ///   - file: its path.
  ///   - index: which of its directions, from 0 on.
  ///   - factor: in multiples of the length of a state.
  public mutating func add(file: String, index: Int = 0, factor: Float) {
    sources.append((.file(file, index: index), factor))
  }

  /// Removes directions of a file: each state then has the mean cosine of the texts from which the
  /// directions were found.
  ///
  /// - Parameters:
  ///   - file: its path.
  ///   - index: which of its directions, from 0 on; nil for all.
  public mutating func remove(file: String, index: Int? = nil) {
    removed.append((file, index))
  }

  /// The steering of a model's states.
  ///
  /// - Parameter onNote: called with a line for a person if a token's name is ambiguous.
  /// - Throws: `usage` for an unknown token, layer or index, or a direction of another number of
  ///   dimensions than the states; `badInput` if the model has no bases, or a file of directions
  ///   is of another model.
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
    var files = Files()
    for (source, factor) in sources {
      var (direction, name): ([Float], String)
      switch source {
      case .vector(let vector, let given): (direction, name) = (vector, given)
      case .file(let path, let index):
        (direction, name) = (try files.direction(path, index, encoder).vector, path)
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
    let removals = try removals(&files, encoder)
    return Steering(
      layer: layer ?? files.layer ?? max(1, encoder.layers / 2), shift: shift, removals: removals)
  }

  /// Directions of files, all of one layer.
  private struct Files {
    private var open: [(path: String, file: DirectionFile)] = []
    /// The layer of the files; nil if there are none.
    var layer: Int? { open.first?.file.layer }

    mutating func file(_ path: String, _ encoder: TextEncoder) throws(VDSQError) -> DirectionFile {
      for known in open where known.path == path { return known.file }
      let file = try DirectionFile(path: path, for: encoder)
      open.append((path, file))
      return file
    }

    mutating func direction(
      _ path: String, _ index: Int, _ encoder: TextEncoder
    ) throws(VDSQError) -> (vector: [Float], offset: Float) {
      let file = try file(path, encoder)
      guard index >= 0, index < file.vectors.count else {
        throw .usage(
          "steering: \(path) has \(counted(file.vectors.count, "direction")), and no number "
            + "\(index + 1)")
      }
      return (file.vectors[index], file.offsets[index])
    }

    /// - Throws: `usage` if the files are of several layers.
    func check() throws(VDSQError) {
      for (path, file) in open where file.layer != open[0].file.layer {
        throw .usage(
          "steering: \(open[0].path) is of layer \(open[0].file.layer), \(path) of layer "
            + "\(file.layer); one layer is steered, which an option can name")
      }
    }
  }

  /// The removed directions, made orthogonal to each other. What their products become is the
  /// solution of the same equations.
  private func removals(
    _ files: inout Files, _ encoder: TextEncoder
  ) throws(VDSQError) -> [Steering.Removal] {
    var removals: [Steering.Removal] = []
    for (path, index) in removed {
      let indices =
        if let index { [index] } else { Array(try files.file(path, encoder).vectors.indices) }
      for index in indices {
        var (direction, offset) = try files.direction(path, index, encoder)
        for known in removals {
          var product: Float = 0
          for i in direction.indices { product += known.direction[i] * direction[i] }
          for i in direction.indices { direction[i] -= product * known.direction[i] }
          offset -= product * known.offset
        }
        let norm = direction.withUnsafeBufferPointer { length($0.baseAddress!, direction.count) }
        // A direction that is removed already.
        guard norm > 1e-3 else { continue }
        removals.append(
          Steering.Removal(direction: direction.map { $0 / norm }, offset: offset / norm))
      }
    }
    if layer == nil { try files.check() }
    return removals
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
