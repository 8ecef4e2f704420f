import CShims
package import VDSQFormat
package import VDSQInference
import VDSQKernels
package import VDSQSemantics

/// Finetunes a sentence encoder by low-rank updates of the query and value weights of its upper
/// layers, together with a linear head over its vectors, on the cross-entropy of the examples (LoRA,
/// Hu et al. 2021).
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
    /// The share of the layers that are updated, from the top.
    package var share = Hyperparameters.Finetuning.share
    /// The number of tokens in a pass through the layers.
    package var tokens = Hyperparameters.Finetuning.tokens

    package init() {}
  }

  /// The result of training: the updates, and the head over the vectors.
  package struct Result {
    package let updates: LowRankUpdates
    package let head: LinearHead
    /// The values of the run that gave both.
    package let values: [Float]
  }

  /// Examples that are held out of training, and choose the step that is kept.
  package struct HeldOut {
    /// Indices of texts.
    package let members: [Int]
    /// The log-likelihood of their labels from logits, `[members, labels]`.
    package let logLikelihood: ([Float]) -> Double

    package init(members: [Int], logLikelihood: @escaping ([Float]) -> Double) {
      self.members = members
      self.logLikelihood = logLikelihood
    }
  }

  package let encoder: TextEncoder
  package let options: Options

  /// The maximum number of bytes that training takes beside the encoder.
  ///
  /// - Parameters:
  ///   - texts: the number of texts.
  ///   - longest: the maximum number of tokens of a text.
  package static func bytes(
    _ container: Container, texts: Int, longest: Int, options: Options = Options()
  ) throws(VDSQError) -> Int {
    let c = try architecture(of: container)
    let first = options.first(of: c)
    return EncoderTape.bytes(
      c, first: first, rank: options.rank, tokens: max(longest, options.tokens),
      sequences: options.batch, longest: longest)
      + 40 * EncoderTape.count(c, first: first, rank: options.rank)
      + LayerInputs.bytes(texts: texts, longest: longest, hiddenSize: c.hiddenSize)
  }

  package init(encoder: TextEncoder, options: Options = Options()) {
    self.encoder = encoder
    self.options = options
  }

  /// - Throws: `badInput` if the model cannot be finetuned.
  package static func architecture(of model: Container) throws(VDSQError) -> Architecture {
    let architecture = try Architecture(model.metadata)
    guard !architecture.isStatic else {
      throw .badInput(
        "\(model.path): static embeddings have no layers that can be finetuned; try another method")
    }
    guard architecture.isBERT || architecture.family == .causalDecoder else {
      let type = model.metadata.find("model_type") ?? "this model"
      throw .badInput(
        "\(model.path): the layers of \(type) cannot be finetuned, only those of BERT, DistilBERT, "
          + "RoBERTa and ELECTRA; try another method")
    }
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

  /// What updated layers read of texts, which training may use several times.
  ///
  /// - Throws: `badInput` if the model is not a sentence encoder, `usage` if its layers are
  ///   streamed.
  package func inputs(_ texts: [String]) throws(VDSQError) -> LayerInputs {
    let c = try Self.architecture(of: encoder.container)
    guard encoder.policy != .stream else {
      // Streamed weights are not in the map, and every step would read the file again.
      throw .usage(
        "stream: finetuning needs all layers at every step; try release", .memoryPolicy)
    }
    return try LayerInputs(texts, layer: options.first(of: c), encoder: encoder)
  }

  /// - Parameters:
  ///   - targets: the label of each text, an index of the head's labels.
  ///   - start: the head over the model's own vectors to start from.
  /// - Throws: the errors of `inputs`.
  package func train(
    _ texts: [String], _ targets: [Int], from start: LinearHead
  ) throws(VDSQError) -> Result {
    let inputs = try inputs(texts)
    return try train(
      inputs, Array(texts.indices), targets, from: start, steps: steps(for: inputs.lengths))
  }

  /// Trains on some of the texts.
  ///
  /// - Parameters:
  ///   - inputs: what updated layers read of all texts.
  ///   - members: the indices of the texts to train on.
  ///   - targets: the label of each text.
  ///   - start: the head over the model's own vectors to start from.
  ///   - values: the values of another run to go on with; nil for the start's.
  ///   - steps: the number of steps, after which the learning rate is zero.
  ///   - heldOut: examples that choose the step that is kept; nil for none.
  ///   - announce: called with the expected seconds of a step, before most of them are taken.
  package func train(
    _ inputs: LayerInputs, _ members: [Int], _ targets: [Int], from start: LinearHead,
    resuming values: [Float]? = nil, steps: Int, heldOut: HeldOut? = nil,
    announce: (Double) -> Void = { _ in }, progress: ProgressSpan = .silent
  ) throws(VDSQError) -> Result {
    var run = try FinetuningRun(self, inputs, targets, from: start)
    var random = SplitMix64(seed: options.seed)
    if let values { run.resume(values) } else { run.initialize(&random) }
    let peak = options.learningRate * (values == nil ? 1 : Hyperparameters.Finetuning.moreRate)
    var order: [Int] = []
    var best = (values: run.values, score: -Double.infinity)
    var began: Int64 = 0
    for step in 0..<steps {
      if order.isEmpty { order = members.shuffled(using: &random) }
      let batch = Array(order.prefix(options.batch))
      order.removeFirst(batch.count)
      let warm = Hyperparameters.Finetuning.warmUp * Float(steps)
      let rate = min(Float(step + 1) / warm, Float(steps - step) / (Float(steps) - warm))
      try run.step(batch, rate: peak * rate)
      // The first step also reads the weights.
      if step == 0 { began = vdsq_now() }
      if step == 2 { announce(Double(vdsq_now() - began) * 1e-9 / 2) }
      progress.advance(to: Double(step + 1) / Double(steps))
      let checks = Hyperparameters.Finetuning.checks
      guard let heldOut, (step + 1) * checks / steps != step * checks / steps else { continue }
      let score = heldOut.logLikelihood(try run.logits(heldOut.members))
      if score > best.score {
        best = (run.values, score)
      }
    }
    progress.advance(to: 1)
    return run.result(heldOut == nil ? run.values : best.values)
  }
}

extension LowRankFinetuning.Options {
  /// The first layer that is updated.
  package func first(of c: Architecture) -> Int {
    c.layers - min(c.layers, max(1, Int((Float(c.layers) * share).rounded())))
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

  /// The ids of a text, and its states after the embeddings and every layer.
  package func rawStates(
    of text: String
  ) throws(VDSQError) -> (ids: [Int32], states: [Float]) {
    let bytes = Array(text.utf8)
    return try bytes.withBytes { (raw) throws(VDSQError) in try rawStates(of: raw) }
  }
}
