import Glibc
package import VDSQFormat
package import VDSQInference
import VDSQKernels
package import VDSQSemantics

/// Finetunes a sentence encoder by low-rank updates of its query and value weights, together with a
/// linear head over its vectors, on the cross-entropy of the examples (LoRA, Hu et al. 2021).
package struct LowRankFinetuning {
  package struct Options {
    package var rank = Hyperparameters.Finetuning.rank
    /// The factor of the updates.
    package var scale = Hyperparameters.Finetuning.scale
    package var epochs = Hyperparameters.Finetuning.epochs
    package var batch = Hyperparameters.Finetuning.batch
    package var learningRate = Hyperparameters.Finetuning.learningRate
    package var weightDecay = Hyperparameters.Finetuning.weightDecay
    package var seed: UInt64 = 1
    /// The minimum and maximum number of steps.
    package var steps = Hyperparameters.Finetuning.steps
    /// The approximate maximum number of tokens over all steps, because long texts would take
    /// hours.
    package var allTokens = Hyperparameters.Finetuning.allTokens
    /// The number of tokens in a pass through the layers.
    package var tokens = Hyperparameters.Finetuning.tokens

    package init() {}
  }

  /// The result of training: the updates, and the head over the vectors.
  package struct Result {
    package let updates: LowRankUpdates
    package let head: LinearHead
  }

  package let encoder: TextEncoder
  package let options: Options

  /// The maximum number of bytes that training takes beside the encoder.
  ///
  /// - Parameter longest: the maximum number of tokens of a text.
  package static func bytes(
    _ container: Container, longest: Int, options: Options = Options()
  ) throws(VDSQError) -> Int {
    let c = try architecture(of: container)
    return EncoderTape.bytes(
      c, rank: options.rank, tokens: max(longest, options.tokens), sequences: options.batch,
      longest: longest) + 32 * EncoderTape.count(c, rank: options.rank)
  }

  package init(encoder: TextEncoder, options: Options = Options()) {
    self.encoder = encoder
    self.options = options
  }

  /// - Throws: `badInput` if the model cannot be finetuned.
  package static func architecture(of model: Container) throws(VDSQError) -> Architecture {
    let architecture = try Architecture(model.metadata)
    guard architecture.isBERT, architecture.pooling == .mean || architecture.pooling == .cls,
      architecture.modules.isEmpty, architecture.morePoolings.isEmpty,
      architecture.includesPrompt
    else {
      throw .badInput(
        "\(model.path): only sentence encoders that pool by the mean or the first token, without "
          + "further modules, can be finetuned; try another method")
    }
    return architecture
  }

  /// The number of steps for texts of the given numbers of tokens.
  package func steps(for lengths: [Int]) -> Int {
    let all = options.epochs * ((lengths.count + options.batch - 1) / options.batch)
    let wanted = min(max(all, options.steps.lowerBound), options.steps.upperBound)
    let tokens = lengths.reduce(0, +) * min(options.batch, lengths.count) / max(1, lengths.count)
    return max(1, min(wanted, options.allTokens / max(1, tokens)))
  }

  /// - Parameters:
  ///   - targets: the label of each text, an index of the head's labels.
  ///   - start: the head over the model's own vectors to start from.
  ///   - steps: the number of steps; nil for that of the options.
  /// - Throws: `badInput` if the model is not a sentence encoder, `usage` if its layers are
  ///   streamed.
  package func train(
    _ texts: [String], _ targets: [Int], from start: LinearHead, steps: Int? = nil,
    progress: ProgressSpan = .silent
  ) throws(VDSQError) -> Result {
    let c = try Self.architecture(of: encoder.container)
    guard encoder.policy != .stream else {
      // Streamed weights are not in the map, and every step would read the file again.
      throw .usage(
        "stream: finetuning needs all layers at every step; try release", .memoryPolicy)
    }
    let labels = start.bias.count
    let d = c.hiddenSize, count = EncoderTape.count(c, rank: options.rank)
    var random = SplitMix64(seed: options.seed)
    // Updates, then the head's weights, then its biases.
    var values = [Float](repeating: 0, count: count + labels * (d + 1))
    let bound = 1 / Float(d).squareRoot()
    for layer in 0..<c.layers {
      let start = layer * 4 * options.rank * d
      for i in start..<start + 2 * options.rank * d {
        values[i] = Float.random(in: -bound...bound, using: &random)
      }
    }
    let lengths = texts.map { encoder.tokens(of: $0).count }
    // The head multiplies unit vectors by a trainable matrix of small numbers. The factor scales
    // its gradients to a useful size.
    let factor = c.normalize ? Float(d).squareRoot() : 1
    for i in start.weights.indices { values[count + i] = start.weights[i] / factor }
    for i in start.bias.indices { values[count + labels * d + i] = start.bias[i] }
    let longest = lengths.max() ?? 2
    let capacity = max(longest, options.tokens)
    let tape = try values.withUnsafeBufferPointer { (values) throws(VDSQError) in
      try EncoderTape(
        encoder.container, kernels: encoder.kernels, rank: options.rank, scale: options.scale,
        tokens: capacity, sequences: options.batch, longest: longest,
        releases: encoder.policy == .release, updates: values.baseAddress!)
    }
    let steps = steps ?? self.steps(for: lengths)
    var optimizer = AdamW(count: values.count, weightDecay: options.weightDecay)
    var gradient = values
    var order: [Int] = []
    for step in 0..<steps {
      if order.isEmpty { order = Array(texts.indices).shuffled(using: &random) }
      let members = Array(order.prefix(options.batch))
      order.removeFirst(members.count)
      for i in gradient.indices { gradient[i] = 0 }
      var first = 0
      while first < members.count {
        var end = first, tokens = 0
        while end < members.count, tokens + lengths[members[end]] <= capacity {
          tokens += lengths[members[end]]
          end += 1
        }
        try values.withUnsafeBufferPointer { (values) throws(VDSQError) in
          tape.updates = values.baseAddress!
          _ = try add(
            members[first..<end].map { (texts[$0], targets[$0]) }, share: 1 / Float(members.count),
            tape, head: values.baseAddress! + count, labels: labels, to: &gradient)
        }
        first = end
      }
      let warm = Hyperparameters.Finetuning.warmUp * Float(steps)
      let rate = min(Float(step + 1) / warm, Float(steps - step) / (Float(steps) - warm))
      optimizer.update(&values, gradient, rate: options.learningRate * rate)
      progress.advance(to: Double(step + 1) / Double(steps))
    }
    var updates = Array(values[..<count])
    for layer in 0..<c.layers {
      let start = (layer * 4 + 2) * options.rank * d
      for i in start..<start + 2 * options.rank * d { updates[i] *= options.scale }
    }
    return Result(
      updates: LowRankUpdates(rank: options.rank, layers: c.layers, hiddenSize: d, values: updates),
      head: LinearHead(
        weights: values[count..<count + labels * d].map { $0 * factor },
        bias: Array(values[(count + labels * d)...])))
  }

  /// Adds the gradient of the loss of some examples, times `share`, and returns the loss.
  package func add(
    _ examples: [(text: String, target: Int)], share: Float, _ tape: EncoderTape,
    head: UnsafePointer<Float>, labels: Int, to gradient: inout [Float]
  ) throws(VDSQError) -> Float {
    let c = tape.c, d = c.hiddenSize
    tape.batch.removeAll()
    for example in examples {
      let trace = try encoder.trace(of: example.text)
      let start = tape.batch.ids.count
      tape.batch.ids += trace.ids
      tape.batch.endSequence()
      // Intermediate features make the rows of a trace longer.
      for row in 0..<trace.ids.count {
        for i in 0..<d {
          tape.embeddings[(start + row) * d + i] = trace.states[row * trace.dimensions + i]
        }
      }
    }
    tape.isBackward = false
    encoder.threads.together(encoder.threads.count, tape)
    let count = EncoderTape.count(c, rank: options.rank)
    let factor = c.normalize ? Float(d).squareRoot() : 1
    var loss: Float = 0
    for (i, example) in examples.enumerated() {
      let state = tape.pooled.p + i * d
      var size: Float = 1
      if c.normalize {
        var square: Float = 0
        encoder.kernels.dotRows(state, state, 1, d, &square)
        size = max(square.squareRoot(), Hyperparameters.Finetuning.leastLength)
      }
      let vector = (0..<d).map { state[$0] / size }
      var logits = [Float](repeating: 0, count: labels)
      encoder.kernels.dotRows(vector, head, labels, d, &logits)
      for label in 0..<labels { logits[label] = logits[label] * factor + head[labels * d + label] }
      let most = logits.max()!
      let exponentials = logits.map { expf($0 - most) }
      let total = exponentials.reduce(0, +)
      loss -= share * (logits[example.target] - most - logf(total))
      var slope = [Float](repeating: 0, count: d)
      for label in 0..<labels {
        let error = share * (exponentials[label] / total - (label == example.target ? 1 : 0))
        gradient[count + labels * d + label] += error
        for k in 0..<d {
          gradient[count + label * d + k] += error * factor * vector[k]
          slope[k] += error * factor * head[label * d + k]
        }
      }
      if c.normalize {
        var along: Float = 0
        encoder.kernels.dotRows(vector, slope, 1, d, &along)
        for k in 0..<d { slope[k] = (slope[k] - along * vector[k]) / size }
      }
      for k in 0..<d { state[k] = slope[k] }
    }
    tape.isBackward = true
    encoder.threads.together(encoder.threads.count, tape)
    for shard in tape.shards {
      for i in 0..<count { gradient[i] += shard.p[i] }
    }
    return loss
  }
}

extension TextEncoder {
  package func tokens(of text: String) -> [Int32] {
    var text = text
    return text.withUTF8 { tokens(of: UnsafeRawBufferPointer($0)) }
  }

  package func trace(of text: String) throws(VDSQError) -> Trace {
    let bytes = Array(text.utf8)
    return try bytes.withBytes { (raw) throws(VDSQError) in try trace(raw) }
  }
}
