import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference

/// Vectors and states of encoders with other layers than BERT's, compared with transformers.
@Suite struct EncoderArchitecturesTests {
  private func open(
    _ name: String, _ weights: Converter.Weights, in folder: TemporaryFolder, threads: Int = 1,
    policy: MemoryPolicy = .resident, tokenCapacity: Int = 0
  ) throws -> TextEncoder {
    let path = folder.path("\(name)-\(weights)-\(threads)-\(policy.name).vdsq")
    let converter = try Converter(folder: Fixtures.path("encoders/\(name)"), weights: weights)
    #expect(converter.warnings.isEmpty, "\(converter.warnings)")
    let summary = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    #expect(summary.unused.isEmpty, "\(summary.unused)")
    var options = TextEncoder.Options()
    (options.threads, options.policy, options.tokenCapacity) = (threads, policy, tokenCapacity)
    return try TextEncoder(
      try Container(path: path, kind: .model, decoding: policy.decoding), options: options)
  }

  private func golden(_ name: String) throws -> [Golden] {
    try Fixtures.json("encoders/\(name)/golden.json", as: [Golden].self)
  }

  @Test(arguments: Fixtures.encoders)
  func vectorsAreTheReferences(_ name: String) throws {
    let folder = try TemporaryFolder()
    let full = try open(name, .fp32, in: folder)
    let half = try open(name, .fp16, in: folder)
    let small = try open(name, .int8, in: folder)
    var cosines: [Float] = []
    for example in try golden(name) {
      let reference = example.vector!
      #expect(Array(example.text.utf8).withUnsafeBytes { full.tokens(of: $0) } == example.ids)
      #expect(relativeError(try full.vector(of: example.text), reference) < 1e-3, "\(example.text)")
      #expect(relativeError(try half.vector(of: example.text), reference) < 1e-2, "\(example.text)")
      cosines.append(cosine(try small.vector(of: example.text), reference))
    }
    #expect(cosines.reduce(0, +) / Float(cosines.count) > 0.995, "\(cosines)")
    #expect(cosines.min()! > 0.99, "\(cosines)")
  }

  @Test(arguments: Fixtures.encoders)
  func everyLayersStatesAreTheReferences(_ name: String) throws {
    let folder = try TemporaryFolder()
    let model = try open(name, .fp32, in: folder, threads: 2)
    let example = try golden(name)[0]
    let (ids, states) = try Array(example.text.utf8).withUnsafeBytes {
      try model.hiddenStates(of: $0)
    }
    #expect(ids == example.ids)
    #expect(relativeError(states, example.layers!) < 1e-3)
  }

  /// The rest of the batch, the number of threads and the memory policy change no bit, with windows
  /// and biases too.
  @Test(arguments: Fixtures.encoders)
  func vectorsDoNotDependOnTheirCompany(_ name: String) throws {
    let folder = try TemporaryFolder()
    let texts = try golden(name).map(\.text)
    for weights in [Converter.Weights.int8, .fp32] {
      let alone = try open(name, weights, in: folder)
      let expected = try texts.map { try alone.vector(of: $0) }
      for (threads, policy) in [
        (1, MemoryPolicy.stream), (2, .resident), (3, .resident), (3, .release), (3, .stream),
      ] {
        let model = try open(
          name, weights, in: folder, threads: threads, policy: policy, tokenCapacity: 1024)
        var together: [[Float]] = []
        for text in texts { _ = Array(text.utf8).withUnsafeBytes { model.add($0) } }
        try model.encode { _, vector in
          together.append(Array(UnsafeBufferPointer(start: vector, count: model.dimensions)))
        }
        #expect(together == expected, "\(threads) threads, \(policy.name)")
      }
    }
  }
}
