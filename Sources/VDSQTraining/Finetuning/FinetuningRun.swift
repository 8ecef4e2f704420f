import Glibc
package import VDSQFormat
package import VDSQInference
import VDSQKernels
package import VDSQSemantics

/// The parameters of low-rank finetuning in training, with a tape of the layers that they update.
package struct FinetuningRun {
  /// Updates of layers, then the head's weights, then its biases.
  package private(set) var values: [Float]
  private let options: LowRankFinetuning.Options
  private let encoder: TextEncoder
  private let inputs: LayerInputs
  private let targets: [Int]
  private let labels: Int
  private let tape: EncoderTape
  /// The number of elements of the updates.
  private let count: Int
  private let capacity: Int
  private var optimizer: AdamW
  private var gradient: [Float]

  private var d: Int { tape.c.hiddenSize }
  /// The head multiplies unit vectors by a trainable matrix of small numbers. The factor scales its
  /// gradients to a useful size.
  private var factor: Float { tape.c.normalize ? Float(d).squareRoot() : 1 }

  /// Updates are zero.
  ///
  /// - Parameter start: the head over the model's own vectors to start from.
  /// - Throws: `badInput` if the container does not hold an encoder.
  package init(
    _ finetuning: LowRankFinetuning, _ inputs: LayerInputs, _ targets: [Int],
    from start: LinearHead
  ) throws(VDSQError) {
    options = finetuning.options
    encoder = finetuning.encoder
    self.inputs = inputs
    self.targets = targets
    labels = start.bias.count
    let c = try LowRankFinetuning.architecture(of: encoder.container)
    let first = options.first(of: c), d = c.hiddenSize
    count = EncoderTape.count(c, first: first, rank: options.rank)
    values = [Float](repeating: 0, count: count + labels * (d + 1))
    let longest = inputs.lengths.max() ?? 2
    capacity = max(longest, options.tokens)
    tape = try values.withUnsafeBufferPointer {
      [options, encoder, capacity] values throws(VDSQError) in
      try EncoderTape(
        encoder.container, kernels: encoder.kernels, precision: encoder.options.precision,
        first: first, rank: options.rank,
        scale: options.scale, tokens: capacity, sequences: options.batch, longest: longest,
        releases: encoder.policy == .release, updates: values.baseAddress!)
    }
    optimizer = AdamW(count: values.count, weightDecay: options.weightDecay)
    gradient = values
    for i in start.weights.indices { values[count + i] = start.weights[i] / factor }
    for i in start.bias.indices { values[count + labels * d + i] = start.bias[i] }
  }

  /// Rows A become random, so that rows B, which stay zero, have gradients.
  package mutating func initialize(_ random: inout SplitMix64) {
    let bound = 1 / Float(d).squareRoot()
    for start in stride(from: 0, to: count, by: 4 * options.rank * d) {
      for i in start..<start + 2 * options.rank * d {
        values[i] = Float.random(in: -bound...bound, using: &random)
      }
    }
  }

  /// Takes the values of another run.
  package mutating func resume(_ values: [Float]) { self.values = values }

  /// A step of the optimizer on the mean loss of some texts.
  package mutating func step(_ members: [Int], rate: Float) throws(VDSQError) {
    for i in gradient.indices { gradient[i] = 0 }
    for part in passes(members) {
      _ = try addGradient(part, share: 1 / Float(members.count))
    }
    optimizer.update(&values, gradient, rate: rate)
  }

  /// The logits of some texts: `[members, labels]`.
  package func logits(_ members: [Int]) throws(VDSQError) -> [Float] {
    var all: [Float] = []
    for part in passes(members) {
      try forward(part)
      for i in part.indices {
        var vector = [Float](repeating: 0, count: d)
        all += logits(of: i - part.startIndex, vector: &vector).logits
      }
    }
    return all
  }

  /// Texts in groups that fit the tape.
  private func passes(_ members: [Int]) -> [ArraySlice<Int>] {
    var parts: [ArraySlice<Int>] = []
    var first = 0
    while first < members.count {
      var end = first, tokens = 0
      while end < members.count, end - first < options.batch,
        tokens + inputs.lengths[members[end]] <= capacity
      {
        tokens += inputs.lengths[members[end]]
        end += 1
      }
      parts.append(members[first..<end])
      first = end
    }
    return parts
  }

  /// Computes the pooled states of some texts.
  private func forward(_ members: ArraySlice<Int>) throws(VDSQError) {
    tape.batch.removeAll()
    for member in members {
      let start = tape.batch.ids.count, length = inputs.lengths[member]
      tape.batch.ids.append(contentsOf: repeatElement(0, count: length))
      tape.batch.endSequence()
      try inputs.copy(member, into: tape.inputs + start * d)
    }
    values.withUnsafeBufferPointer {
      tape.updates = $0.baseAddress!
      tape.isBackward = false
      encoder.threads.together(encoder.threads.count, tape)
    }
  }

  /// The logits of a text of the pass, and the length of its pooled state.
  ///
  /// - Parameter vector: receives the vector of the text.
  private func logits(
    of index: Int, vector: inout [Float]
  ) -> (logits: [Float], length: Float) {
    let state = tape.pooled.p + index * d
    var length: Float = 1
    if tape.c.normalize {
      var square: Float = 0
      encoder.kernels.dotRows(state, state, 1, d, &square)
      length = max(square.squareRoot(), Hyperparameters.Finetuning.leastLength)
    }
    for i in 0..<d { vector[i] = state[i] / length }
    var logits = [Float](repeating: 0, count: labels)
    values.withUnsafeBufferPointer {
      let head = $0.baseAddress! + count
      encoder.kernels.dotRows(vector, head, labels, d, &logits)
      for label in 0..<labels {
        logits[label] = logits[label] * factor + head[labels * d + label]
      }
    }
    return (logits, length)
  }

  /// Adds the gradient of the loss of some texts, times `share`, and returns the loss.
  package mutating func addGradient(
    _ members: ArraySlice<Int>, share: Float
  ) throws(VDSQError) -> Float {
    try forward(members)
    let kernels = encoder.kernels, factor = factor, d = d, count = count, labels = labels
    var loss: Float = 0
    var vector = [Float](repeating: 0, count: d), slope = vector
    for (i, member) in members.enumerated() {
      let (logits, length) = logits(of: i, vector: &vector)
      let target = targets[member]
      let most = logits.max()!
      let exponentials = logits.map { expf($0 - most) }
      let total = exponentials.reduce(0, +)
      loss -= share * (logits[target] - most - logf(total))
      for k in 0..<d { slope[k] = 0 }
      for label in 0..<labels {
        let error = share * (exponentials[label] / total - (label == target ? 1 : 0))
        gradient[count + labels * d + label] += error
        let row = count + label * d
        gradient.withUnsafeMutableBufferPointer {
          kernels.addScaled(error * factor, vector, d, $0.baseAddress! + row)
        }
        values.withUnsafeBufferPointer {
          kernels.addScaled(error * factor, $0.baseAddress! + row, d, &slope)
        }
      }
      if tape.c.normalize {
        var along: Float = 0
        kernels.dotRows(vector, slope, 1, d, &along)
        for k in 0..<d { slope[k] = (slope[k] - along * vector[k]) / length }
      }
      (tape.pooled.p + i * d).update(from: slope, count: d)
    }
    values.withUnsafeBufferPointer {
      tape.updates = $0.baseAddress!
      tape.isBackward = true
      encoder.threads.together(encoder.threads.count, tape)
    }
    for shard in tape.shards {
      for i in 0..<count { gradient[i] += shard.p[i] }
    }
    return loss
  }

  /// The loss of some texts and its gradient with respect to all values.
  package mutating func lossGradient(
    _ members: [Int], at values: [Float]
  ) throws(VDSQError) -> (loss: Float, gradient: [Float]) {
    self.values = values
    for i in gradient.indices { gradient[i] = 0 }
    var loss: Float = 0
    for part in passes(members) { loss += try addGradient(part, share: 1 / Float(members.count)) }
    return (loss, gradient)
  }

  /// Updates of all layers, those of lower layers zero, and the head.
  package func result(_ values: [Float]) -> LowRankFinetuning.Result {
    let c = tape.c, layer = 4 * options.rank * d
    var updates = [Float](repeating: 0, count: tape.first * layer) + values[..<count]
    for start in stride(from: tape.first * layer + layer / 2, to: updates.count, by: layer) {
      for i in start..<start + layer / 2 { updates[i] *= options.scale }
    }
    return LowRankFinetuning.Result(
      updates: LowRankUpdates(
        rank: options.rank, layers: c.layers, hiddenSize: d, values: updates),
      head: LinearHead(
        weights: values[count..<count + labels * d].map { $0 * factor },
        bias: Array(values[(count + labels * d)...])), values: values)
  }
}
