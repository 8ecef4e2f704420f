public import VDSQFormat
public import VDSQInference

/// The state of every layer at every token in vocabulary terms.
///
/// A view says how states are compared with the vocabulary: by cosines to bases, by the logits of
/// the LM head (the logit lens: nostalgebraist 2020), or by the logits of states that were
/// translated to the last layer (the tuned lens: Belrose et al. 2023).
public struct Lens {
  /// What states are compared with.
  public enum View: Sendable, Equatable {
    /// `basis`: cosines to vocabulary bases. `logit`: the logits of the LM head. `tuned`: those of
    /// translated states.
    case basis, logit, tuned
  }

  /// The probability of a token after a state, and its place among all tokens.
  public struct Place: Sendable, Equatable {
    /// The number of tokens with higher values, over the whole vocabulary.
    public let rank: Int
    /// From 0 to 1.
    public let probability: Float
  }

  /// One layer at one token.
  public struct Cell: Sendable {
    /// The tokens with the highest values, best first.
    public let top: [VocabularyLogits.Result]
    /// The place of the last layer's first token.
    public let final: Place
    /// The entropy of the probabilities in nats, from 0 to the logarithm of the vocabulary's size.
    public let entropy: Float
    /// The Kullback-Leibler divergence from the last layer's probabilities in nats,
    /// `sum_v p_last(v) log(p_last(v) / p(v))`; 0 for the last layer.
    public let divergence: Float
    /// The places of the tracked tokens.
    public let tracked: [Place]
  }

  /// The cells of a view.
  public struct Map: Sendable {
    /// What states are compared with.
    public let view: View
    /// `[layers][tokens]`, the embeddings first.
    public let cells: [[Cell]]
    /// For each token, the first layer whose first token is that of the last layer.
    public let firstLayers: [Int]
  }

  /// What a lens shows.
  public struct Options: Sendable {
    /// The views, at least one. Nil means that of the bases, that of the logits if the model has an
    /// LM head, and the tuned one if there are translators.
    public var views: [View]?
    /// The number of tokens to keep for each state.
    public var top = 5
    /// The softmax temperature of cosines; nil for that of the bases, or
    /// `Classifier.defaultTemperature`. Logits are divided by 1.
    public var temperature: Float?
    /// The bases of the view of cosines.
    public var bases = BasesChoice.own
    /// The translators of the tuned view; nil for none.
    public var tuned: TunedLens?
    /// Ids of tokens whose places are kept for each state.
    public var tracked: [Int32] = []

    /// Five tokens.
    public init() {}
  }

  /// The token ids of the text as the model read it, special tokens included.
  public let ids: [Int32]
  /// One map for each view, in the order of the options.
  public let maps: [Map]
  /// The cosine of each state to that of the layer before, `[layers][tokens]`; the embeddings have
  /// none.
  public let similarities: [[Float?]]
  /// The number of tokens of the vocabulary.
  public let vocabularySize: Int

  /// - Throws: `badInput` if the model has no bases, or no LM head for its view, or fails.
  public init(
    _ text: UnsafeRawBufferPointer, encoder: TextEncoder, options: Options = Options()
  ) throws(VDSQError) {
    let bases = try VocabularyRows(options.bases, of: encoder.container, encoder.kernels)
    let views =
      options.views
      ?? ((try? VocabularyRows(head: encoder)) == nil
        ? [.basis] : options.tuned == nil ? [.basis, .logit] : [.basis, .logit, .tuned])
    let (ids, raw) = try encoder.rawStates(of: text)
    let trace = encoder.trace(ids, raw)
    var translated: TextEncoder.Trace?
    if views.contains(.tuned) {
      guard let tuned = options.tuned else {
        throw .usage("the tuned lens needs a file of translators", .lens)
      }
      translated = encoder.trace(ids, raw) { layer, state, out in
        tuned.translate(layer, state, encoder.kernels, into: out)
      }
    }
    var maps: [Map] = []
    for view in views {
      let rows = view == .basis ? bases : try VocabularyRows(head: encoder)
      guard rows.dimensions == trace.dimensions else {
        throw .badInput("\(encoder.container.path): bases of another size than the model's states")
      }
      for id in options.tracked where id < 0 || Int(id) >= rows.count {
        throw .usage("token \(id): the vocabulary has \(rows.count) tokens")
      }
      let logits = VocabularyLogits(rows: rows, encoder: encoder, capacity: options.top)
      maps.append(
        Map(
          view, view == .tuned ? translated! : trace, logits,
          temperature: view == .basis
            ? options.temperature ?? rows.temperature ?? Classifier.defaultTemperature : 1,
          tracked: options.tracked))
    }
    self.ids = ids
    self.maps = maps
    similarities = Self.similarities(trace)
    vocabularySize = bases.count
  }

  private static func similarities(_ trace: TextEncoder.Trace) -> [[Float?]] {
    let d = trace.dimensions, count = trace.ids.count
    var similarities: [[Float?]] = []
    trace.states.withUnsafeBufferPointer { states in
      for layer in 0..<trace.layers {
        var row: [Float?] = []
        for token in 0..<count {
          let state = states.baseAddress! + (layer * count + token) * d
          row.append(layer == 0 ? nil : cosine(state, state - count * d, d))
        }
        similarities.append(row)
      }
    }
    return similarities
  }

  private static func cosine(
    _ a: UnsafePointer<Float>, _ b: UnsafePointer<Float>, _ d: Int
  ) -> Float {
    var product: Float = 0
    for i in 0..<d { product += a[i] * b[i] }
    let norms = length(a, d) * length(b, d)
    return norms > 0 ? product / norms : 0
  }
}

extension Lens.Map {
  /// The cells of all states, token by token, because each is compared with its last layer.
  init(
    _ view: Lens.View, _ trace: TextEncoder.Trace, _ logits: VocabularyLogits, temperature: Float,
    tracked: [Int32]
  ) {
    let column = LensColumn(logits, layers: trace.layers, temperature: temperature)
    var cells = [[Lens.Cell]](repeating: [], count: trace.layers)
    var firstLayers: [Int] = []
    for token in trace.ids.indices {
      let found = column.cells(trace, token: token, tracked: tracked)
      for (layer, cell) in found.enumerated() { cells[layer].append(cell) }
      let final = found[trace.layers - 1].top[0].id
      firstLayers.append(found.firstIndex { $0.top[0].id == final } ?? trace.layers - 1)
    }
    self.view = view
    self.cells = cells
    self.firstLayers = firstLayers
  }
}
