import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference

/// Hidden states of all layers, and what steering changes in them, against transformers with hooks.
@Suite struct SteeringTests {
  private struct Reference: Decodable {
    let shift: [Float]
    /// `[layers + 1, tokens, dimensions]`.
    let hidden: [Float]
    /// The last hidden states when a layer is steered, for each layer: `[tokens, dimensions]`.
    let steered: [[Float]]
  }

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func open(
    _ name: String, _ weights: Converter.Weights, threads: Int = 1
  ) throws -> TextEncoder {
    let path = folder.path("\(name)-\(weights).vdsq")
    let converter = try Converter(
      folder: Fixtures.path("language-models/\(name)"), weights: weights)
    _ = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    var options = TextEncoder.Options()
    options.threads = threads
    return try TextEncoder(path: path, options: options)
  }

  private func hidden(_ model: TextEncoder, _ text: String) throws -> [Float] {
    try Array(text.utf8).withUnsafeBytes { try model.hiddenStates(of: $0).states }
  }

  @Test(arguments: ["gpt2", "llama", "roberta"])
  func statesAreTheReferences(_ name: String) throws {
    let reference = try #require(
      try Fixtures.json("language-models/steering.json", as: [String: Reference].self)[name])
    let text = try LanguageGolden.read(name)[0].text
    for threads in [1, 3] {
      let model = try open(name, .fp32, threads: threads)
      #expect(relativeError(try hidden(model, text), reference.hidden) < 1e-3)
      for (layer, expected) in reference.steered.enumerated() {
        try model.steer(Steering(layer: layer, shift: reference.shift))
        let states = Array(try hidden(model, text).suffix(expected.count))
        #expect(relativeError(states, expected) < 1e-3, "layer \(layer)")
        let plain = try model.unsteered { () throws(VDSQError) in try model.vector(of: text) }
        #expect(relativeError(plain, try LanguageGolden.read(name)[0].state) < 1e-3)
      }
      try model.steer(nil)
      #expect(relativeError(try hidden(model, text), reference.hidden) < 1e-3)
    }
    // Steered states have other ranges, by which activations are quantized.
    let small = try open(name, .int8)
    for (layer, expected) in reference.steered.enumerated() {
      try small.steer(Steering(layer: layer, shift: reference.shift))
      #expect(cosine(Array(try hidden(small, text).suffix(expected.count)), expected) > 0.99)
    }
  }

  @Test func steeringMustFitTheModel() throws {
    let model = try open("gpt2", .fp32)
    for (steering, words): (Steering, String) in [
      (Steering(layer: 3, shift: [Float](repeating: 0, count: 40)), "no layer 3"),
      (Steering(layer: -1, shift: [Float](repeating: 0, count: 40)), "no layer -1"),
      (Steering(layer: 1, shift: [1]), "1 dimension"),
    ] {
      let error = #expect(throws: VDSQError.self) { try model.steer(steering) }
      #expect(error?.category == .usage && error?.message.contains(words) == true)
      #expect(model.steering == nil)
    }
  }

  /// The last layer's pooled state is the vector of the text, up to its length.
  @Test(arguments: ["language-models/llama", "bert-mean", "bert-max-bf16", "bert-cls-f16"])
  func pooledStatesEndInTheVector(_ name: String) throws {
    let path = folder.path("model.vdsq")
    let converter = try Converter(folder: Fixtures.path(name), weights: .fp32)
    _ = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    let model = try TextEncoder(path: path, options: TextEncoder.Options())
    let states = try Array("hello world".utf8).withUnsafeBytes { try model.pooledStates(of: $0) }
    #expect(states.count == (model.layers + 1) * model.hiddenSize)
    let last = Array(states.suffix(model.hiddenSize))
    #expect(cosine(last, try model.vector(of: "hello world")) > 0.99999)
  }
}
