import VDSQInference

/// Compares the states of all layers at one token with the whole vocabulary. The values of eight
/// layers, and of the last, are in memory at a time.
final class LensColumn {
  private let logits: VocabularyLogits
  private let layers: Int
  private let temperature: Float
  private let dimensions: Int
  private let vocabulary: Int
  private let states: UnsafeMutablePointer<Float>
  private let scores: UnsafeMutablePointer<Float>
  private let lastScores: UnsafeMutablePointer<Float>
  private var lastProbabilities: [Float]

  /// The number of layers whose values are in memory at a time.
  private static let together = 8

  init(_ logits: VocabularyLogits, layers: Int, temperature: Float) {
    self.logits = logits
    self.layers = layers
    self.temperature = temperature
    dimensions = logits.rows.dimensions
    vocabulary = logits.rows.count
    states = .allocate(capacity: Self.together * dimensions)
    scores = .allocate(capacity: Self.together * vocabulary)
    lastScores = .allocate(capacity: vocabulary)
    lastProbabilities = [Float](repeating: 0, count: vocabulary)
  }

  deinit {
    states.deallocate()
    scores.deallocate()
    lastScores.deallocate()
  }

  /// The cells of all layers at a token.
  func cells(_ trace: TextEncoder.Trace, token: Int, tracked: [Int32]) -> [Lens.Cell] {
    trace.states.withUnsafeBufferPointer { all in
      func state(_ layer: Int) -> UnsafePointer<Float> {
        all.baseAddress! + (layer * trace.ids.count + token) * dimensions
      }
      var answer: Int32 = 0
      var isFirst = true
      logits.find(
        state(layers - 1), count: 1, temperature: temperature, scores: lastScores
      ) { _, result in
        if isFirst { answer = result.id }
        isFirst = false
      }
      let last = TokenDistribution(lastScores, count: vocabulary, temperature: temperature)
      for id in 0..<vocabulary { lastProbabilities[id] = last.probability(id) }
      var cells: [Lens.Cell] = []
      var first = 0
      while first < layers {
        let count = min(Self.together, layers - first)
        for i in 0..<count {
          let from = state(first + i), to = states + i * dimensions
          for j in 0..<dimensions { to[j] = from[j] }
        }
        var top = [[VocabularyLogits.Result]](repeating: [], count: count)
        logits.find(states, count: count, temperature: temperature, scores: scores) {
          top[$0].append($1)
        }
        for i in 0..<count {
          let own = TokenDistribution(
            scores + i * vocabulary, count: vocabulary, temperature: temperature)
          cells.append(cell(top[i], own, last, answer, tracked))
        }
        first += count
      }
      return cells
    }
  }

  private func cell(
    _ top: [VocabularyLogits.Result], _ own: TokenDistribution, _ last: TokenDistribution,
    _ answer: Int32, _ tracked: [Int32]
  ) -> Lens.Cell {
    func place(_ id: Int32) -> Lens.Place {
      Lens.Place(rank: own.rank(Int(id)), probability: own.probability(Int(id)))
    }
    return Lens.Cell(
      top: top, final: place(answer), entropy: own.entropy,
      divergence: own.divergence(from: last, probabilities: lastProbabilities),
      tracked: tracked.map(place))
  }
}
