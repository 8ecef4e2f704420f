import VDSQ
package import VDSQFormat
package import VDSQInference
package import VDSQSemantics

/// Closed-form repair of a causal language model in vocabulary space: a few neurons of some down
/// projections are changed until each token of wrong answers beats its strongest rival
/// (docs/repair.md).
///
///     let repair = try ModelRepair(
///       encoder, threads: encoder.threads, fixes: fixes, keep: texts, options: options)
///     let (result, rounds) = try repair.run()
package final class ModelRepair {
  /// How a model is repaired.
  package struct Options: Sendable {
    /// The layers whose down projections are changed, from 0.
    package var layers: [Int] = []
    /// The number of neurons of each layer that are changed.
    package var neurons = 64
    /// By how many logits an answer's tokens should beat their rivals, at least 0.
    package var margin: Float = 3
    /// How much a smaller change counts beside an exact one, as a share; at least 0.
    package var ridge: Float = 0.01
    /// The maximum number of rounds, at least 1.
    package var rounds = 10

    package init() {}
  }

  /// What a round found before it changed anything.
  package struct Round: Sendable {
    /// The number of answer tokens that do not beat their rival by the margin.
    package let open: Int
    /// The least difference to a rival, in logits.
    package let least: Float
  }

  private let encoder: TextEncoder
  private let options: Options
  private let layers: [Int]
  private let answers: [AnswerTokens]
  private let kept: [[Int32]]
  private let directions: LogitDirections
  private let head: VocabularyLogits
  private let arithmetic: MatrixArithmetic
  private let neurons: Int
  /// The updates after the last round. Those of an earlier round may have been better.
  package private(set) var updates: [NeuronUpdates.Layer] = []

  /// The maximum number of tokens of all answers: equations have their square.
  package static let mostTokens = 4096

  /// The bytes that a repair takes beside the model, of so many answer tokens, and of texts of at
  /// most `longest` tokens.
  package static func bytes(
    _ c: Architecture, tokens: Int, longest: Int, options: Options
  ) -> Int {
    let layers = options.layers.count
    let n = min(options.neurons, c.intermediateSize), d = c.hiddenSize
    let perLayer = 3 * n * n + 3 * n * d + 2 * tokens * n + 3 * c.intermediateSize
    return LogitDirections.bytes(c)
      + 4 * (layers * perLayer + 2 * tokens * tokens + 4 * tokens * d + longest * d)
  }

  /// - Parameters:
  ///   - encoder: a causal language model with one thread.
  ///   - threads: what shares products of matrices, and the rows of the head.
  ///   - keep: ids of texts that should not change.
  /// - Throws: `badInput` for another model, or an answer without tokens or longer than the model's
  ///   longest sequence.
  package init(
    _ encoder: TextEncoder, threads: ThreadPool, fixes: [Fix], keep: [[Int32]], options: Options
  ) throws(VDSQError) {
    let c = try Architecture(encoder.container.metadata)
    guard encoder.kind == .causal, !c.hasOutputNorms else {
      throw .badInput(
        "\(encoder.container.path): only causal language models whose down projections are added to "
          + "the states are repaired")
    }
    self.encoder = encoder
    self.options = options
    layers = options.layers
    neurons = c.intermediateSize
    arithmetic = MatrixArithmetic(kernels: encoder.kernels, threads: threads)
    let beginning = try encoder.firstToken()
    var answers: [AnswerTokens] = []
    var tokens = 0
    for fix in fixes {
      do throws(VDSQError) {
        let answer = try AnswerTokens(
          fix.answer, after: fix.prompt, encoder, beginning: beginning)
        // They are read at the end, when a repair would be lost.
        for other in fix.paraphrases {
          _ = try AnswerTokens(fix.answer, after: other, encoder, beginning: beginning)
        }
        answers.append(answer)
        tokens += answer.tokens.count
      } catch { throw fix.place.map { error.within($0) } ?? error }
    }
    guard tokens <= Self.mostTokens else {
      throw .badInput(
        "the answers have \(tokens) tokens, more than \(Self.mostTokens); repair fewer at a time")
    }
    self.answers = answers
    kept = keep
    head = VocabularyLogits(
      rows: try VocabularyRows(head: encoder.container), kernels: encoder.kernels,
      threads: threads, capacity: 2)
    directions = try LogitDirections(
      encoder.container, kernels: encoder.kernels, arithmetic: arithmetic)
  }

  /// The number of tokens of all answers.
  package var tokens: Int { answers.reduce(0) { $0 + $1.tokens.count } }

  /// Repairs the model.
  ///
  /// - Parameter progress: called with the number of finished rounds, and with 0 before the first.
  /// - Returns: the repair with the fewest open tokens that was found, and what each round found.
  /// - Throws: `badInput` if the model's weights cannot be read, or keys are too alike.
  package func run(
    progress: (Int) -> Void = { _ in }
  ) throws(VDSQError) -> (repair: Repair, rounds: [Round]) {
    progress(0)
    try encoder.update(nil)
    let reader = KeyReader(encoder, layers: layers)
    defer { reader.end() }
    let chosen = try choose(reader)
    let systems = try systems(reader, chosen)
    let d = encoder.hiddenSize
    updates = zip(layers, chosen).map {
      NeuronUpdates.Layer(
        layer: $0, neurons: $1, vectors: [Float](repeating: 0, count: $1.count * d))
    }
    var rounds: [Round] = []
    var best = (open: Int.max, least: -Float.infinity, updates: updates)
    for round in 0...options.rounds {
      try encoder.update(NeuronUpdates(updates))
      let (found, keys, shifts) = try observe(reader, chosen)
      rounds.append(found)
      if (found.open, -found.least) < (best.open, -best.least) {
        best = (found.open, found.least, updates)
      }
      if found.open == 0 || round == options.rounds { break }
      for place in layers.indices {
        guard let change = systems[place].solve(keys: keys[place], shifts: shifts) else {
          throw .badInput(
            "\(encoder.container.path): prompts are too alike to have different answers; raise the "
              + "ridge")
        }
        updates[place] = NeuronUpdates.Layer(
          layer: layers[place], neurons: chosen[place],
          vectors: zip(updates[place].vectors, change).map { $0 + $1 })
      }
      progress(round + 1)
    }
    let result = NeuronUpdates(best.updates)
    try encoder.update(result)
    return (
      Repair(result, hiddenSize: d, modelIdentity: encoder.container.identity), rounds
    )
  }

  /// The neurons of each layer that answers excite most beside other texts, in ascending order.
  private func choose(_ reader: KeyReader) throws(VDSQError) -> [[Int32]] {
    var own = layers.map { _ in [Float](repeating: 0, count: neurons) }
    for answer in answers {
      _ = try reader.read(answer.ids) { place, row, keys in
        guard answer.rows.contains(row) else { return }
        for k in 0..<neurons { own[place][k] += keys[k] * keys[k] }
      }
    }
    let others = try KeyMoments(kept, reader, neurons: neurons).squares
    return layers.indices.map { place in
      let mean = others[place].reduce(0, +) / Float(neurons)
      let scores = (0..<neurons).map {
        kept.isEmpty ? own[place][$0] : own[place][$0] / (others[place][$0] + mean)
      }
      let best = scores.indices.sorted { scores[$0] > scores[$1] }
      return best.prefix(options.neurons).sorted().map { Int32($0) }
    }
  }

  /// The equations of each layer.
  private func systems(
    _ reader: KeyReader, _ chosen: [[Int32]]
  ) throws(VDSQError) -> [NeuronSystem] {
    let products =
      kept.isEmpty ? nil : try KeyMoments.products(kept, reader, chosen: chosen)
    var systems: [NeuronSystem] = []
    for (place, own) in chosen.enumerated() {
      let n = own.count
      var metric = products?[place] ?? [Float](repeating: 0, count: n * n)
      var trace: Float = 0
      for i in 0..<n { trace += metric[i * n + i] }
      // What no kept text excites must not change without bounds.
      let least = trace > 0 ? Self.leastMoment * trace / Float(n) : 1
      for i in 0..<n { metric[i * n + i] += least }
      guard let factor = CholeskyFactor(metric, size: n, arithmetic: arithmetic) else {
        throw .badInput("\(encoder.container.path): the states of neurons are not finite")
      }
      systems.append(
        NeuronSystem(
          metric: factor, neurons: n, hiddenSize: encoder.hiddenSize, ridge: options.ridge,
          arithmetic: arithmetic))
    }
    return systems
  }

  /// What is added to the moments of neurons, as a share of their mean.
  private static let leastMoment: Float = 0.1

  /// Reads all answers: how far their tokens are from beating their rivals, the keys of the chosen
  /// neurons, `[layers][tokens, chosen]`, and the shift of each layer's output that would make them
  /// do so, `[tokens, hiddenSize]`.
  private func observe(
    _ reader: KeyReader, _ chosen: [[Int32]]
  ) throws(VDSQError) -> (Round, keys: [[Float]], shifts: [Float]) {
    let d = encoder.hiddenSize
    var keys = chosen.map { _ in [Float]() }
    var shifts: [Float] = []
    var (open, least) = (0, Float.infinity)
    let normed = Floats(d)
    for answer in answers {
      let states = try reader.read(answer.ids) { place, row, own in
        guard answer.rows.contains(row) else { return }
        for neuron in chosen[place] { keys[place].append(own[Int(neuron)]) }
      }
      for (row, token) in zip(answer.rows, answer.tokens) {
        let state = states + row * d
        normed.p.update(from: state, count: d)
        encoder.normalize(normed.p, rows: 1)
        var rival: Int32?
        head.find(normed.p, temperature: 1) { found in
          if rival == nil, found.id != token { rival = found.id }
        }
        let gap = directions.gap(of: token, over: rival ?? token, at: state)
        guard gap.value.isFinite else {
          throw .badInput("\(encoder.container.path): the states of an answer are not finite")
        }
        least = min(least, gap.value)
        // What is aimed at is more than what suffices, so that a ridge does not take all rounds.
        let isOpen = gap.value < options.margin || (options.margin == 0 && gap.value <= 0)
        if isOpen { open += 1 }
        let wanted =
          isOpen ? gap.multiple(for: 1.5 * options.margin) / Float(layers.count) : 0
        for i in 0..<d { shifts.append(wanted * gap.direction[i]) }
      }
    }
    return (Round(open: open, least: least), keys, shifts)
  }
}
