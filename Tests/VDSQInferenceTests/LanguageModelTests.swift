import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQInference

/// Token ids, states and every layer's states against transformers, for every architecture with an
/// LM head.
@Suite struct LanguageModelTests {
  private func open(
    _ name: String, _ weights: Converter.Weights, in folder: TemporaryFolder, threads: Int = 1
  ) throws -> TextEncoder {
    let path = folder.path("\(name)-\(weights).vdsq")
    let converter = try Converter(
      folder: Fixtures.path("language-models/\(name)"), weights: weights)
    _ = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    var options = TextEncoder.Options()
    options.threads = threads
    // A buffer for all texts of a test.
    options.tokenCapacity = 512
    return try TextEncoder(path: path, options: options)
  }

  private func tokens(_ text: String, _ model: TextEncoder) -> [Int32] {
    Array(text.utf8).withUnsafeBytes { model.tokens(of: $0) }
  }

  @Test(arguments: Fixtures.languageModels)
  func tokensAreTheReferences(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = try open(name, .int8, in: folder)
    for example in try LanguageGolden.read(name) {
      #expect(tokens(example.text, model) == example.ids, "\(example.text)")
    }
  }

  @Test(arguments: Fixtures.languageModels)
  func statesAreTheReferences(_ name: String) throws {
    let folder = try TemporaryFolder()
    let full = try open(name, .fp32, in: folder)
    let half = try open(name, .fp16, in: folder)
    let small = try open(name, .int8, in: folder)
    var cosines: [Float] = []
    for example in try LanguageGolden.read(name) {
      #expect(relativeError(try full.vector(of: example.text), example.state) < 1e-3)
      #expect(relativeError(try half.vector(of: example.text), example.state) < 1e-2)
      cosines.append(cosine(try small.vector(of: example.text), example.state))
    }
    // Scales of activations that help on average may cost a single text a little.
    #expect(cosines.reduce(0, +) / Float(cosines.count) > 0.995)
    #expect(cosines.min()! > 0.99)
  }

  @Test(arguments: Fixtures.languageModels)
  func everyLayersStatesAreTheReferences(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = try open(name, .fp32, in: folder, threads: 2)
    let example = try LanguageGolden.read(name)[0]
    let trace = try Array(example.text.utf8).withUnsafeBytes { try model.trace($0) }
    #expect(trace.ids == example.ids)
    #expect(relativeError(trace.states, example.layers!) < 1e-3)
  }

  /// The rest of the batch and the number of threads change only rounding, because attention sums
  /// in another order if a pass is split elsewhere.
  @Test(arguments: ["gpt2", "mistral", "qwen3", "roberta", "electra"])
  func statesDoNotDependOnTheirCompany(_ name: String) throws {
    let folder = try TemporaryFolder()
    let texts = try LanguageGolden.read(name).map(\.text)
    let alone = try open(name, .int8, in: folder)
    let expected = try texts.map { try alone.vector(of: $0) }
    for threads in [1, 2, 3] {
      let model = try open(name, .int8, in: folder, threads: threads)
      for text in texts { _ = Array(text.utf8).withUnsafeBytes { model.add($0) } }
      var together: [[Float]] = []
      try model.encode { _, state in
        together.append(Array(UnsafeBufferPointer(start: state, count: model.dimensions)))
      }
      for (ours, alone) in zip(together, expected) {
        #expect(cosine(ours, alone) > 0.9999, "\(threads) threads")
      }
      #expect(together.count == expected.count)
    }
  }

  /// Reading a sequence in steps, through the cache, gives the same states as reading it at once.
  @Test func stepsGiveWhatOnePassDoes() throws {
    let folder = try TemporaryFolder()
    let model = try open("llama", .fp32, in: folder)
    let example = try LanguageGolden.read("llama")[3]
    let decoder = try Decoder(
      model.container, kernels: model.kernels, threads: ThreadPool(count: 1), precision: .integer,
      tokenCapacity: 64, longest: 64, keptTexts: 1)
    for cut in 1..<example.ids.count {
      var start = TokenBatch()
      start.ids = Array(example.ids[..<cut])
      start.endSequence(inPlace: 0, behind: 0)
      _ = try decoder.decode(start)
      var batch = TokenBatch()
      batch.ids = Array(example.ids[cut...])
      batch.endSequence(inPlace: 0, behind: cut)
      let state = try decoder.decode(batch)
      let values = Array(UnsafeBufferPointer(start: state, count: model.dimensions))
      #expect(relativeError(values, example.state) < 1e-3, "cut at \(cut)")
    }
  }
}
