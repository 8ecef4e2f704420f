import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference

/// Vectors compared with transformers, on tiny checkpoints of every supported configuration.
@Suite struct EncoderTests {
  private func convert(
    _ name: String, _ weights: Converter.Weights, in folder: TemporaryFolder
  ) throws -> String {
    let path = folder.path("\(name).vdsq")
    let converter = try Converter(folder: Fixtures.path(name), weights: weights)
    _ = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    return path
  }

  private func vectors(
    _ path: String, _ texts: [String], _ change: (inout TextEncoder.Options) -> Void = { _ in }
  ) throws -> [[Float]] {
    var options = TextEncoder.Options()
    change(&options)
    let encoder = try TextEncoder(path: path, options: options)
    return try texts.map { try encoder.vector(of: $0) }
  }

  @Test(arguments: Fixtures.models)
  func vectorsAreTheReferences(_ name: String) throws {
    let folder = try TemporaryFolder()
    let golden = try Fixtures.json("\(name)/golden.json", as: [Golden].self)
    let texts = golden.map(\.text)
    let half = try convert(name, .fp16, in: folder)
    for (ours, example) in zip(try vectors(half, texts), golden) {
      let reference = example.vector!
      #expect(cosine(ours, reference) >= 0.9999, "\(example.text)")
      let size = reference.map(\.magnitude).max()!
      #expect(zip(ours, reference).allSatisfy { ($0 - $1).magnitude <= 0.01 * size })
    }
    let int8 = try convert(name, .int8, in: folder)
    for (ours, example) in zip(try vectors(int8, texts), golden) {
      #expect(cosine(ours, example.vector!) >= 0.99, "\(example.text)")
    }
    let high = try vectors(int8, texts) { $0.precision = .high }
    for (ours, example) in zip(high, golden) {
      #expect(cosine(ours, example.vector!) >= 0.998, "\(example.text)")
    }
  }

  /// The rest of the batch, the number of threads and the splitting of the batch change nothing.
  @Test(arguments: Fixtures.models)
  func vectorsDoNotDependOnTheirCompany(_ name: String) throws {
    let folder = try TemporaryFolder()
    let path = try convert(name, .int8, in: folder)
    let texts = try Fixtures.json("\(name)/golden.json", as: [Golden].self).map(\.text)
    let alone = try vectors(path, texts)
    for (threads, capacity) in [(1, 0), (1, 400), (2, 400), (3, 100)] {
      var options = TextEncoder.Options()
      options.threads = threads
      options.tokenCapacity = capacity
      let encoder = try TextEncoder(path: path, options: options)
      var together: [[Float]] = []
      func flush() throws {
        try encoder.encode { _, vector in
          together.append(Array(UnsafeBufferPointer(start: vector, count: encoder.dimensions)))
        }
      }
      for text in texts {
        if !encoder.hasRoom { try flush() }
        _ = Array(text.utf8).withUnsafeBytes { encoder.add($0) }
      }
      try flush()
      #expect(together == alone, "\(threads) threads, \(capacity) tokens")
    }
  }

  /// Lower layers' states follow the vector, which stays as it is: pooled as it is, of length 1,
  /// and whatever the batch and the threads.
  @Test(arguments: Fixtures.models)
  func intermediateFeaturesFollowTheVector(_ name: String) throws {
    let folder = try TemporaryFolder()
    let path = try convert(name, .int8, in: folder)
    let texts = ["hello world", "", "a café, twelve 12!", "stop"]
    let plain = try TextEncoder(path: path, options: .init())
    let d = plain.dimensions
    let vectors = try texts.map { try plain.vector(of: $0) }
    for threads in [1, 3] {
      var options = TextEncoder.Options()
      options.threads = threads
      options.intermediateFeatures = [
        IntermediateFeature(1), IntermediateFeature(1, of: .firstToken),
      ]
      let encoder = try TextEncoder(path: path, options: options)
      #expect(encoder.dimensions == 3 * d)
      for text in texts { Array(text.utf8).withUnsafeBytes { _ = encoder.add($0) } }
      var states: [[Float]] = []
      try encoder.encode { _, state in
        states.append(Array(UnsafeBufferPointer(start: state, count: 3 * d)))
      }
      for (i, text) in texts.enumerated() {
        #expect(Array(states[i][..<d]) == vectors[i])
        #expect(try encoder.vector(of: text) == states[i], "the same alone")
        for start in [d, 2 * d] {
          let length = states[i][start..<start + d].reduce(0) { $0 + $1 * $1 }.squareRoot()
          #expect((length - 1).magnitude < 1e-5)
        }
      }
    }
    // What they are made of.
    guard name == "bert-mean" else { return }
    let trace = try Array(texts[2].utf8).withUnsafeBytes { try plain.trace($0) }
    var mean = [Float](repeating: 0, count: d)
    for token in trace.ids.indices {
      for j in 0..<d { mean[j] += trace.states[(trace.ids.count + token) * d + j] }
    }
    var options = TextEncoder.Options()
    options.intermediateFeatures = [
      IntermediateFeature(1), IntermediateFeature(1, of: .firstToken),
    ]
    let state = try TextEncoder(path: path, options: options).vector(of: texts[2])
    #expect(cosine(mean, Array(state[d..<2 * d])) > 0.99999)
    let second = (trace.ids.count + 1) * d
    #expect(cosine(Array(trace.states[second..<second + d]), Array(state[(2 * d)...])) > 0.99999)
  }

  @Test func intermediateFeaturesThatAreNot() throws {
    let folder = try TemporaryFolder()
    let path = try convert("bert-mean", .int8, in: folder)
    let layers = try TextEncoder(path: path, options: .init()).layers
    for wrong in [[0], [-1], [layers], [1, layers + 5]] {
      var options = TextEncoder.Options()
      options.intermediateFeatures = wrong.map { IntermediateFeature($0) }
      #expect { try TextEncoder(path: path, options: options) } throws: {
        ($0 as? VDSQError)?.category == .badInput
      }
    }
  }

  @Test func textsAreCutToTheLongestSequence() throws {
    let folder = try TemporaryFolder()
    let encoder = try TextEncoder(
      path: try convert("bert-mean", .int8, in: folder), options: TextEncoder.Options())
    let long = Array(String(repeating: "hello world ", count: 100_000).utf8)
    let info = long.withUnsafeBytes { encoder.add($0) }
    #expect(info.tokens == 40)
    #expect(info.truncated)
  }

  @Test func thePlanHoldsEverything() throws {
    let folder = try TemporaryFolder()
    let encoder = try TextEncoder(
      path: try convert("bert-mean", .int8, in: folder), options: TextEncoder.Options())
    var end = 0
    for region in encoder.arena.regions {
      #expect(region.offset >= end && region.offset % 64 == 0)
      end = region.offset + region.length
    }
    #expect(end <= encoder.arena.length)
  }
}
