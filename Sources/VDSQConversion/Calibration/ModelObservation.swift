import Glibc
import VDSQFormat
import VDSQInference

/// The states that a language model has when it predicts tokens of the calibration text: those at
/// every token of a causal model, and those at masked words of a masked one.
package struct ModelObservation {
  /// `[count, dimensions]`.
  let states: [Double]
  let dimensions: Int
  /// `[vocabulary]`: the head's bias; nil if it has none.
  let bias: [Double]?
  /// What the head's logits are capped by (`Architecture.logitCap`); nil for nothing.
  let cap: Double?

  /// A logit of the head.
  ///
  /// - Parameter product: of a state and the row of the token.
  func logit(_ product: Double, token: Int) -> Double {
    let logit = product + (bias?[token] ?? 0)
    return cap.map { $0 * tanh(logit / $0) } ?? logit
  }

  var count: Int { states.count / dimensions }

  /// The mean state.
  var mean: [Double] {
    var mean = [Double](repeating: 0, count: dimensions)
    for (i, value) in states.enumerated() { mean[i % dimensions] += value / Double(count) }
    return mean
  }

  /// At most so many states, evenly spread.
  func sample(atMost limit: Int) -> ModelObservation {
    guard count > limit else { return self }
    var chosen: [Double] = []
    chosen.reserveCapacity(limit * dimensions)
    for i in 0..<limit {
      let row = i * count / limit
      chosen += states[row * dimensions..<(row + 1) * dimensions]
    }
    return ModelObservation(states: chosen, dimensions: dimensions, bias: bias, cap: cap)
  }

  /// - Parameters:
  ///   - states: `[count, dimensions]`.
  ///   - bias: `[vocabulary]`: the head's bias; nil if it has none.
  ///   - cap: what logits are capped by; nil for nothing.
  package init(states: [Double], dimensions: Int, bias: [Double]?, cap: Double? = nil) {
    self.states = states
    self.dimensions = dimensions
    self.bias = bias
    self.cap = cap
  }

  /// Runs a model over the calibration text.
  ///
  /// - Parameters:
  ///   - path: a model's file with an LM head.
  ///   - streams: whether layers are read as they are needed, for a small memory.
  /// - Throws: `badInput` if the model fails or produces states that are not finite.
  init(of path: String, threads: Int, streams: Bool) throws(VDSQError) {
    let container = try Container(
      path: path, kind: .model, decoding: streams ? .allButLayers : .everything)
    var options = TextEncoder.Options()
    options.threads = threads
    options.policy = streams ? .stream : .resident
    let architecture = try Architecture(container.metadata)
    options.maximumTokens = min(Self.longest, architecture.maximumTokens)
    let encoder = try TextEncoder(container, options: options)
    var states: [Double] = []
    for sentence in CalibrationText.sentences {
      for text in Self.texts(of: sentence, for: encoder) {
        try Array(text.utf8).withBytes { (raw) throws(VDSQError) in
          if encoder.kind == .masked {
            _ = encoder.add(raw)
            try encoder.encode { _, state in
              for j in 0..<encoder.dimensions { states.append(Double(state[j])) }
            }
          } else {
            let trace = try encoder.trace(raw)
            let last = (trace.layers - 1) * trace.ids.count * trace.dimensions
            for value in trace.states[last...] { states.append(Double(value)) }
          }
        }
      }
    }
    guard states.allSatisfy(\.isFinite) else {
      throw .badInput("\(path): the model's states are not finite")
    }
    var bias: [Double]?
    if container.find("head.bias") != nil {
      let values = try container.floats("head.bias", shape: [encoder.vocabularySize])
      bias = (0..<encoder.vocabularySize).map { Double(values[$0]) }
    }
    self.init(
      states: states, dimensions: encoder.dimensions, bias: bias, cap: architecture.logitCap)
  }

  /// The calibration text's sentences are shorter.
  private static let longest = 64
  /// One word of so many is masked.
  private static let maskEvery = 4

  /// The texts of which a model reads one sentence: itself, or itself with one word masked at a
  /// time.
  private static func texts(of sentence: String, for encoder: TextEncoder) -> [String] {
    guard encoder.kind == .masked, let mask = encoder.tokenizer.mask else { return [sentence] }
    let name = String(decoding: encoder.token(mask), as: UTF8.self)
    let words = sentence.split(separator: " ").map(String.init)
    return stride(from: maskEvery / 2, to: words.count, by: maskEvery).map { place in
      var masked = words
      masked[place] = name
      return masked.joined(separator: " ")
    }
  }
}
