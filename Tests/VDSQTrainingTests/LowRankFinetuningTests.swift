import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics

import VDSQTraining

/// Gradients against differences of the loss, and that training learns.
@Suite struct LowRankFinetuningTests {
  private func encoder(_ name: String, _ weights: Converter.Weights) throws -> (
    TextEncoder, TemporaryFolder
  ) {
    let folder = try TemporaryFolder()
    _ = try Converter(folder: Fixtures.path(name), weights: weights).write(
      to: folder.path("m.vdsq"), replace: false, progress: Progress(total: 1) { _ in })
    return (try TextEncoder(path: folder.path("m.vdsq"), options: .init()), folder)
  }

  @Test(arguments: [
    ("bert-mean", Converter.Weights.fp32), ("bert-cls-f16", .int8), ("distilbert-sqrt", .int8),
  ])
  func gradientsAreTheLosss(_ name: String, _ weights: Converter.Weights) throws {
    let (encoder, folder) = try encoder(name, weights)
    defer { withExtendedLifetime(folder) {} }
    let c = try Architecture(encoder.container.metadata)
    var options = LowRankFinetuning.Options()
    options.rank = 3
    let labels = 3, count = EncoderTape.count(c, rank: 3)
    var random = SplitMix64(seed: 7)
    var values = (0..<count + labels * (c.hiddenSize + 1)).map { _ in
      Float.random(in: -0.3...0.3, using: &random)
    }
    let examples = [
      ("hello world", 0), ("stop", 1), ("a café, twelve 12! and more of it", 2), ("go on", 1),
      ("no", 0),
    ]
    let tuning = LowRankFinetuning(encoder: encoder, options: options)
    func loss(_ gradient: inout [Float]) throws -> Float {
      try values.withUnsafeBufferPointer { values in
        let tape = try EncoderTape(
          encoder.container, kernels: encoder.kernels, rank: 3, scale: 2, tokens: 128, sequences: 8,
          longest: 64, updates: values.baseAddress!)
        return try tuning.add(
          examples.map { (text: $0.0, target: $0.1) }, share: 0.2, tape,
          head: values.baseAddress! + count, labels: labels, to: &gradient)
      }
    }
    var gradient = [Float](repeating: 0, count: values.count)
    _ = try loss(&gradient)
    let size = gradient.map(\.magnitude).max()!
    #expect(size > 1e-3)
    var ignored = gradient
    for _ in 0..<60 {
      let i = Int.random(in: values.indices, using: &random)
      let value = values[i], step: Float = 2e-3
      values[i] = value + step
      let above = try loss(&ignored)
      values[i] = value - step
      let below = try loss(&ignored)
      values[i] = value
      let expected = (above - below) / (2 * step)
      #expect(
        (gradient[i] - expected).magnitude < 0.01 * size + 0.02 * expected.magnitude,
        "\(i) of \(count): \(gradient[i]) \(expected)")
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
      tuning.rate = 5e-3
      let start = LinearHead(weights: [Float](repeating: 0, count: 2 * d), bias: [0, 0])
      let result = try LowRankFinetuning(encoder: encoder, options: tuning).train(
        texts, targets, from: start
      ) { _ in }
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

  /// Labels that are drawn by lot: a method that knows them beats it, one that is sure of the others does not.
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
      let state = examples.states[i * d..<(i + 1) * d]
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
      examples, labels: anchors, unlessLessLikelyThan: { _ in adapter(9) }, report: { _ in })
    #expect(yielding?.temperature == nil)
    let kept = try tuning.adapter(
      examples, labels: anchors, unlessLessLikelyThan: { _ in adapter(-9) }, report: { _ in })
    #expect(kept?.updates != nil)
  }

  /// Ten times through all texts, within bounds; long texts are seen less often.
  @Test func stepsAreBounded() throws {
    let (encoder, folder) = try encoder("bert-mean", .int8)
    defer { withExtendedLifetime(folder) {} }
    let tuning = LowRankFinetuning(encoder: encoder)
    #expect(tuning.steps(for: [Int](repeating: 20, count: 512)) == 320)
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
      encoder.container, kernels: encoder.kernels, rank: 4, scale: 1, tokens: 100, sequences: 8,
      longest: 50, updates: updates.p)
    var taken = tape.gradient.count + tape.ones.count + tape.pooled.count
    taken += tape.panels.reduce(0) { $0 + $1.count } + tape.shards.reduce(0) { $0 + $1.count }
    for r in tape.tape {
      taken +=
        r.states.count + r.qkv.count + r.inner.count + r.first.count + r.second.count + r.up.count
    }
    for s in tape.scratch {
      taken += s.wide.count + s.narrow.count + s.mixed.count + s.attention.count + s.head.count
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
          encoder.container, kernels: encoder.kernels, rank: 2, scale: 1, tokens: 128, sequences: 8,
          longest: 64, updates: values.baseAddress!)
        let trace = try encoder.trace(of: text)
        tape.batch.ids = trace.ids
        tape.batch.endSequence()
        for i in 0..<trace.ids.count * c.hiddenSize { tape.embeddings[i] = trace.states[i] }
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
