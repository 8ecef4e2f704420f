import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics

import VDSQTraining

/// Gradients against differences of the loss, and that training learns.
@Suite struct LowRankFinetuningTests {
  private func encoder(
    _ name: String, _ weights: Converter.Weights, _ precision: Precision = .integer
  ) throws -> (TextEncoder, TemporaryFolder) {
    let folder = try TemporaryFolder()
    try FileManager.default.copyItem(
      atPath: Fixtures.path(name), toPath: folder.path("checkpoint"))
    // Another pooling is refused.
    if name == "distilbert-sqrt" {
      try Data(#"{"word_embedding_dimension": 32, "pooling_mode_mean_tokens": true}"#.utf8).write(
        to: URL(filePath: folder.path("checkpoint/1_Pooling/config.json")))
    }
    _ = try Converter(folder: folder.path("checkpoint"), weights: weights).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    var options = TextEncoder.Options()
    options.precision = precision
    return (try TextEncoder(path: folder.path("m.vdsq"), options: options), folder)
  }

  @Test(
    arguments: [
      ("bert-mean", Converter.Weights.fp32), ("bert-cls-f16", .int8), ("distilbert-sqrt", .int8),
    ], [Float(1), 0.5])
  func gradientsAreTheLosss(_ model: (String, Converter.Weights), share: Float) throws {
    // Differences of the loss are too small for quantized states.
    let (encoder, folder) = try encoder(model.0, model.1, .high)
    defer { withExtendedLifetime(folder) {} }
    let c = try Architecture(encoder.container.metadata)
    var options = LowRankFinetuning.Options()
    options.rank = 3
    options.share = share
    let labels = 3
    let texts = ["hello world", "stop", "a café, twelve 12! and more of it", "go on", "no"]
    let tuning = LowRankFinetuning(encoder: encoder, options: options)
    var run = try FinetuningRun(
      tuning, try tuning.inputs(texts), [0, 1, 2, 1, 0],
      from: LinearHead(
        weights: [Float](repeating: 0, count: labels * c.hiddenSize),
        bias: [Float](repeating: 0, count: labels)))
    let count = EncoderTape.count(c, first: options.first(of: c), rank: 3)
    #expect(run.values.count == count + labels * (c.hiddenSize + 1))
    var random = SplitMix64(seed: 7)
    var values = run.values.map { _ in Float.random(in: -0.3...0.3, using: &random) }
    let all = Array(texts.indices)
    let gradient = try run.lossGradient(all, at: values).gradient
    let size = gradient.map(\.magnitude).max()!
    #expect(size > 1e-3)
    for _ in 0..<60 {
      let i = Int.random(in: values.indices, using: &random)
      let value = values[i], step: Float = 2e-3
      values[i] = value + step
      let above = try run.lossGradient(all, at: values).loss
      values[i] = value - step
      let below = try run.lossGradient(all, at: values).loss
      values[i] = value
      let expected = (above - below) / (2 * step)
      #expect(
        (gradient[i] - expected).magnitude < 0.01 * size + 0.02 * expected.magnitude,
        "\(i) of \(count): \(gradient[i]) \(expected)")
    }
  }

  /// Only upper layers change, and what the tape says of a text is what the tuned encoder says.
  @Test func lowerLayersStayAsTheyAre() throws {
    let folder = try TemporaryFolder()
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .fp32).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    var options = TextEncoder.Options()
    options.precision = .high
    let encoder = try TextEncoder(path: folder.path("m.vdsq"), options: options)
    let c = try Architecture(encoder.container.metadata), d = c.hiddenSize
    var tuning = LowRankFinetuning.Options()
    tuning.share = 0.5
    tuning.learningRate = 5e-3
    let texts = ["hello world", "stop now", "a café", "twelve 12!"]
    let finetuning = LowRankFinetuning(encoder: encoder, options: tuning)
    let inputs = try finetuning.inputs(texts)
    let start = LinearHead(weights: [Float](repeating: 0, count: 2 * d), bias: [0, 0])
    let result = try finetuning.train(texts, [0, 1, 0, 1], from: start)
    let lower = tuning.first(of: c) * 4 * tuning.rank * d
    #expect(lower > 0 && result.updates.values[..<lower].allSatisfy { $0 == 0 })
    #expect(result.updates.values[lower...].contains { $0 != 0 })
    options.updates = result.updates
    let tuned = try TextEncoder(path: folder.path("m.vdsq"), options: options)
    // The same steps in a run whose logits the tape computes.
    var logits: [Float] = []
    let all = Array(texts.indices), steps = finetuning.steps(for: inputs.lengths)
    _ = try finetuning.train(
      inputs, all, [0, 1, 0, 1], from: start, steps: steps,
      heldOut: .init(members: all) {
        logits = $0
        return Double($0.count)
      })
    // The last look is at the values of the last step.
    var ofEncoder: [Float] = []
    for text in texts {
      var own: [Float] = [0, 0]
      result.head.logits(try tuned.vector(of: text), tuned.kernels, into: &own)
      ofEncoder += own
    }
    #expect(relativeError(logits, ofEncoder) < 0.05, "\(logits) \(ofEncoder)")
  }

  /// The step at which held-out examples are likeliest is kept, of ten.
  @Test func heldOutExamplesChooseTheStep() throws {
    let (encoder, folder) = try encoder("bert-mean", .int8)
    defer { withExtendedLifetime(folder) {} }
    let d = encoder.hiddenSize
    let finetuning = LowRankFinetuning(encoder: encoder)
    let inputs = try finetuning.inputs(["hello world", "stop now", "a café"])
    let start = LinearHead(weights: [Float](repeating: 0, count: 2 * d), bias: [0, 0])
    /// The values that are kept, and the number of looks at held-out examples.
    func train(_ scores: [Double]) throws -> ([Float], Int) {
      var seen = 0
      var announced: [Double] = []
      let result = try finetuning.train(
        inputs, [0, 1], [0, 1, 0], from: start, steps: 20,
        heldOut: .init(members: [2]) { logits in
          #expect(logits.count == 2)
          seen += 1
          return scores[seen - 1]
        }, announce: { announced.append($0) })
      #expect(announced.count == 1 && announced[0] > 0)
      return (result.values, seen)
    }
    let last = try finetuning.train(inputs, [0, 1], [0, 1, 0], from: start, steps: 20).values
    let (all, looks) = try train([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
    #expect(all == last && looks == 10)
    let (early, _) = try train([1, 3, 2, 2.5, 1, 0, 0, 0, 0, 2])
    #expect(early != last)
    #expect(try train([0, 9, 8, 7, 6, 1, 2, 3, 4, 5]).0 == early)
    // Another run goes on from there.
    let more = try finetuning.train(
      inputs, [0, 1, 2], [0, 1, 0], from: start, resuming: early, steps: 1)
    #expect(more.values != early && relativeError(more.values, early) < 0.1)
  }

  /// States of few tokens are kept; those of many are computed again, and are the same.
  @Test func inputsAreThoseOfTheLayer() throws {
    let (encoder, folder) = try encoder("bert-mean", .int8)
    defer { withExtendedLifetime(folder) {} }
    let d = encoder.hiddenSize
    let texts = ["hello world", "stop"]
    let many =
      texts
      + [String](
        repeating: "hello", count: Hyperparameters.Finetuning.mostKeptTokens / 3 + 1)
    for layer in [0, 1] {
      for some in [texts, many] {
        let inputs = try LayerInputs(some, layer: layer, encoder: encoder)
        for (i, text) in texts.enumerated() {
          let (ids, states) = try encoder.rawStates(of: text)
          #expect(inputs.lengths[i] == ids.count)
          var copied = [Float](repeating: 0, count: ids.count * d)
          try copied.withUnsafeMutableBufferPointer { try inputs.copy(i, into: $0.baseAddress!) }
          #expect(copied == Array(states[layer * ids.count * d..<(layer + 1) * ids.count * d]))
        }
      }
    }
  }

  /// Whatever the threads, and more so with every epoch.
  @Test func trainingLearns() throws {
    let folder = try TemporaryFolder()
    _ = try Converter(folder: Fixtures.path("bert-mean"), weights: .int8).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    let texts = [
      "hello world", "stop now", "a café", "twelve 12!", "go on", "no", "yes, hello", "stop it",
    ]
    let targets = [0, 1, 1, 0, 0, 1, 1, 0]
    var heads: [LinearHead] = []
    for threads in [1, 2, 3] {
      var options = TextEncoder.Options()
      options.threads = threads
      let encoder = try TextEncoder(path: folder.path("m.vdsq"), options: options)
      let d = encoder.dimensions
      var tuning = LowRankFinetuning.Options()
      tuning.learningRate = 5e-3
      let start = LinearHead(weights: [Float](repeating: 0, count: 2 * d), bias: [0, 0])
      let result = try LowRankFinetuning(encoder: encoder, options: tuning).train(
        texts, targets, from: start)
      heads.append(result.head)
      options.updates = result.updates
      let tuned = try TextEncoder(path: folder.path("m.vdsq"), options: options)
      var right = 0
      for (text, target) in zip(texts, targets) {
        var logits: [Float] = [0, 0]
        result.head.logits(try tuned.vector(of: text), tuned.kernels, into: &logits)
        if (logits[1] > logits[0]) == (target == 1) { right += 1 }
      }
      #expect(right == texts.count)
    }
    #expect(heads[1].weights == heads[0].weights && heads[2].weights == heads[0].weights)
  }

  /// Labels that are drawn by lot: a method that knows them beats it, one that is sure of the
  /// others does not.
  @Test func itYieldsToWhatKnowsHeldOutExamples() throws {
    let (encoder, folder) = try encoder("bert-mean", .int8)
    defer { withExtendedLifetime(folder) {} }
    let d = encoder.dimensions
    let words = [
      "hello", "stop", "world", "go", "twelve", "now", "café", "yes", "no", "a", "the", "is",
    ]
    var random = SplitMix64(seed: 11)
    // Of the same tokens in two orders, or of unknown ones, the states are almost the same.
    var seen: Set<[Int32]> = []
    let known = words.flatMap { first in words.map { "\(first) \($0)" } }
      .filter { seen.insert(encoder.tokens(of: $0).sorted()).inserted }
      .map { Examples.Example(text: $0, label: Bool.random(using: &random) ? "a" : "b") }
    let names = ["a", "b"]
    let labels = names.map { Label(name: $0) }
    let examples = try Examples(known, labels: labels, encoder: encoder, template: nil) { _ in }
    let anchors = try LabelSet(labels, encoder: encoder, template: nil)
    let centers = examples.targets.indices.flatMap { i in
      let state = examples.features[i]
      let size = state.reduce(0) { $0 + $1 * $1 }.squareRoot()
      return state.map { Float16($0 / size).bitPattern }
    }
    /// Votes of all examples, also of those that are held out, for their labels or against them.
    func adapter(_ vote: Float) -> Adapter {
      let votes = [0, 1].flatMap { label in
        examples.targets.map { $0 == label ? vote : -vote }
      }
      return Adapter(
        labels: anchors,
        head: .rbf(
          RBFHead(
            linear: LinearHead(weights: [Float](repeating: 0, count: 2 * d), bias: [0, 0]),
            votes: RBFVotes(
              dimensions: d, centers: centers, weights: votes, sharpness: 4000))),
        modelIdentity: encoder.container.identity)
    }
    let tuning = LowRankFinetuning(encoder: encoder)
    let yielding = try tuning.adapter(
      examples, labels: anchors, unlessLessLikelyThan: { _ in adapter(9) })
    #expect(yielding?.temperature == nil)
    let kept = try tuning.adapter(
      examples, labels: anchors, unlessLessLikelyThan: { _ in adapter(-9) })
    #expect(kept?.updates != nil)
  }

  /// Eight times through all texts, within bounds; long texts are seen less often.
  @Test func stepsAreBounded() throws {
    let (encoder, folder) = try encoder("bert-mean", .int8)
    defer { withExtendedLifetime(folder) {} }
    let tuning = LowRankFinetuning(encoder: encoder)
    #expect(tuning.steps(for: [Int](repeating: 20, count: 512)) == 256)
    #expect(tuning.steps(for: [Int](repeating: 20, count: 3)) == 100)
    #expect(tuning.steps(for: [Int](repeating: 20, count: 100_000)) == 600)
    #expect(tuning.steps(for: [Int](repeating: 250, count: 512)) == 100)
    #expect(tuning.steps(for: [Int](repeating: 500, count: 512)) == 50)
    #expect(tuning.steps(for: []) == 100)
  }

  /// What is planned is what is taken.
  @Test func memoryIsAsPlanned() throws {
    let (encoder, folder) = try encoder("bert-mean", .int8)
    defer { withExtendedLifetime(folder) {} }
    let c = try Architecture(encoder.container.metadata)
    let updates = Floats(EncoderTape.count(c, rank: 4))
    let tape = try EncoderTape(
      encoder.container, kernels: encoder.kernels, precision: .integer, rank: 4, scale: 1,
      tokens: 100, sequences: 8,
      longest: 50, updates: updates.p)
    var taken = tape.gradient.count + tape.ones.count + tape.pooled.count
    taken += tape.panels.reduce(0) { $0 + $1.count } + tape.shards.reduce(0) { $0 + $1.count }
    for r in tape.tape {
      taken +=
        r.states.count + r.qkv.count + r.inner.count + r.first.count + r.second.count + r.up.count
    }
    for s in tape.scratch {
      taken +=
        s.wide.count + s.narrow.count + s.mixed.count + s.attention.count + s.head.count
        + s.integers.count
    }
    let planned = EncoderTape.bytes(c, rank: 4, tokens: 100, sequences: 8, longest: 50)
    #expect(planned >= 4 * taken - 4096 && Double(planned) < 1.2 * Double(4 * taken))
  }

  /// The encoder that classifies makes of updates what the one that learned them did.
  @Test(arguments: [("bert-mean", Converter.Weights.fp32), ("bert-cls-f16", .int8)])
  func theEncoderTakesUpdatesAsTheTapeDid(_ name: String, _ weights: Converter.Weights) throws {
    let (encoder, folder) = try encoder(name, weights)
    let c = try Architecture(encoder.container.metadata)
    var random = SplitMix64(seed: 3)
    let values = (0..<EncoderTape.count(c, rank: 2)).map { _ in
      Float.random(in: -0.3...0.3, using: &random)
    }
    var options = TextEncoder.Options()
    options.precision = .high
    options.updates = LowRankUpdates(
      rank: 2, layers: c.layers, hiddenSize: c.hiddenSize, values: values)
    let tuned = try TextEncoder(path: folder.path("m.vdsq"), options: options)
    for text in ["hello world", "stop", "a café, twelve 12! and more of it"] {
      let pooled = try values.withUnsafeBufferPointer { values in
        let tape = try EncoderTape(
          encoder.container, kernels: encoder.kernels, precision: .high, rank: 2, scale: 1,
          tokens: 128, sequences: 8,
          longest: 64, updates: values.baseAddress!)
        let trace = try encoder.trace(of: text)
        tape.batch.ids = trace.ids
        tape.batch.endSequence()
        for i in 0..<trace.ids.count * c.hiddenSize { tape.inputs[i] = trace.states[i] }
        encoder.threads.together(1, tape)
        return Array(UnsafeBufferPointer(start: tape.pooled.p, count: c.hiddenSize))
      }
      let vector = try tuned.vector(of: text)
      #expect(cosine(vector, pooled) > 0.99999)
      #expect(cosine(vector, try encoder.vector(of: text)) < 0.999)
    }
  }
}

private func cosine(_ a: [Float], _ b: [Float]) -> Float {
  func dot(_ x: [Float], _ y: [Float]) -> Float { zip(x, y).reduce(0) { $0 + $1.0 * $1.1 } }
  return dot(a, b) / (dot(a, a) * dot(b, b)).squareRoot()
}
