import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQKernels

/// Passes over many sequences, in blocks and in groups, and the memory that they take.
@Suite struct DecoderTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  /// A fixture in fp32; with a mean pooling if its states are to be sentence vectors.
  private func container(_ name: String, pools: Bool = false) throws -> Container {
    let copy = try folder.copy(ofFixture: "language-models/\(name)", as: "\(name)-\(pools)")
    if pools {
      try FileManager.default.createDirectory(
        atPath: "\(copy)/1_Pooling", withIntermediateDirectories: true)
      for file in ["modules.json", "1_Pooling/config.json"] {
        _ = try folder.write(try Fixtures.data("bert-mean/\(file)"), to: "\(name)-\(pools)/\(file)")
      }
    }
    let path = folder.path("\(name)-\(pools).vdsq")
    _ = try Converter(folder: copy, weights: .fp32).write(
      to: path, replace: true, progress: Progress(total: 1) { _ in })
    return try Container(path: path, kind: .model)
  }

  private func decoder(
    _ container: Container, threads: Int, tokens: Int, keptTexts: Int = 0,
    policy: MemoryPolicy = .resident
  ) throws -> Decoder {
    try Decoder(
      container, kernels: try KernelTable.select(), threads: ThreadPool(count: threads),
      precision: .integer, tokenCapacity: tokens, longest: keptTexts > 0 ? tokens : .max,
      keptTexts: keptTexts, policy: policy)
  }

  private func batch(_ lengths: [Int], from first: Int = 0) -> TokenBatch {
    var batch = TokenBatch()
    for (sequence, length) in lengths.enumerated() {
      for i in 0..<length {
        batch.ids.append(Int32((7919 * (first + sequence) + 97 * i * i + i) % 256))
      }
      batch.endSequence()
    }
    return batch
  }

  private func vectors(_ decoder: Decoder, _ batch: TokenBatch) throws -> [[Float]] {
    let d = decoder.architecture.hiddenSize
    let states = try decoder.decode(batch)
    return (0..<batch.sequences).map {
      Array(UnsafeBufferPointer(start: states + $0 * d, count: d))
    }
  }

  /// Sequences that fill several passes, and passes of several blocks with a short one at the end,
  /// have the vectors that they have alone.
  @Test(
    arguments: ["llama", "mistral", "qwen3", "gpt2", "gpt-neox", "gpt-neox-sequential"],
    [false, true])
  func blocksAndPassesChangeOnlyRounding(_ name: String, _ pools: Bool) throws {
    let container = try container(name, pools: pools)
    let lengths = [90, 3, 1, 96, 40, 70, 5, 66, 17, 2]
    let alone = try decoder(container, threads: 1, tokens: 96)
    let expected = try lengths.indices.map {
      try vectors(alone, batch([lengths[$0]], from: $0))[0]
    }
    for threads in [1, 2, 3, 5] {
      let together = try decoder(container, threads: threads, tokens: 512)
      #expect(together.plan.passCapacity < lengths.reduce(0, +) || threads > 3)
      for _ in 0..<2 {
        let found = try vectors(together, batch(lengths))
        for (ours, alone) in zip(found, expected) {
          #expect(relativeError(ours, alone) < 1e-4, "\(threads) threads")
        }
      }
    }
  }

  /// States of every layer of a batch of several passes lie where those of one text do.
  @Test func tracesSpanPasses() throws {
    let container = try container("llama")
    let lengths = [50, 60, 70]
    let d = 32, layers = 3
    func trace(_ batch: TokenBatch, _ threads: Int) throws -> [Float] {
      var states = [Float](repeating: .nan, count: layers * batch.ids.count * d)
      let decoder = try decoder(container, threads: threads, tokens: 256)
      _ = try states.withUnsafeMutableBufferPointer {
        try decoder.decode(batch, trace: $0.baseAddress!)
      }
      return states
    }
    for threads in [1, 3] {
      let all = try trace(batch(lengths), threads)
      var first = 0
      for (sequence, length) in lengths.enumerated() {
        let own = try trace(batch([length], from: sequence), 1)
        for layer in 0..<layers {
          let start = (layer * 180 + first) * d
          let wanted = Array(own[layer * length * d..<(layer + 1) * length * d])
          #expect(relativeError(Array(all[start..<start + length * d]), wanted) < 1e-4)
        }
        first += length
      }
    }
  }

  /// A sequence can only go on if the keys and values before were kept.
  /// Texts that go on, in any places and any steps, alone and together.
  @Test func textsGoOnInTheirPlaces() throws {
    let container = try container("llama")
    let whole = batch([40, 20])
    let once = try decoder(container, threads: 2, tokens: 256)
    let wanted = try vectors(once, whole)
    let steps = try decoder(container, threads: 2, tokens: 64, keptTexts: 3)
    #expect {
      try steps.decode(whole)
    } throws: {
      ($0 as? VDSQError)?.category == .internalFault
    }
    func part(_ texts: [(place: Int, sequence: Int, rows: Range<Int>)]) -> TokenBatch {
      var batch = TokenBatch()
      for (place, sequence, rows) in texts {
        let first = whole.range(sequence).lowerBound
        batch.ids += whole.ids[first + rows.lowerBound..<first + rows.upperBound]
        batch.endSequence(inPlace: place, behind: rows.lowerBound)
      }
      return batch
    }
    for (cut, other) in [(1, 1), (39, 19), (25, 5), (30, 18)] {
      for places in [(0, 2), (2, 1)] {
        _ = try steps.decode(part([(places.0, 0, 0..<cut)]))
        _ = try steps.decode(part([(places.1, 1, 0..<other)]))
        let last = try steps.decode(
          part([(places.1, 1, other..<20), (places.0, 0, cut..<40)]))
        for (index, sequence) in [(0, 1), (1, 0)] {
          let found = Array(UnsafeBufferPointer(start: last + index * 32, count: 32))
          #expect(relativeError(found, wanted[sequence]) < 1e-4, "cut at \(cut), \(other)")
        }
      }
    }
    #expect(throws: VDSQError.self) { try steps.decode(part([(3, 0, 0..<4)])) }
  }

  /// The arena of texts that are read once grows neither with layers nor with texts in a batch.
  @Test func oneLayersKeysAreInMemory() throws {
    let container = try container("llama")
    let c = try Architecture(container.metadata)
    func plan(_ capacity: Int, keptTexts: Int = 0) -> DecoderPlan {
      DecoderPlan(
        c, tokenCapacity: capacity, longest: 2048, threads: 2, layout: .bytes, wordBytes: 64,
        keptTexts: keptTexts)
    }
    func caches(_ plan: DecoderPlan) -> Int {
      plan.arena.regions.filter(\.isCache).reduce(0) { $0 + $1.length }
    }
    let once = plan(2112)
    let bytes = 2 * 2048 * c.keyValueWidth * 4
    #expect(caches(once) >= bytes && caches(once) < bytes + 1024)
    #expect(caches(plan(32 * 2048)) == caches(once))
    let kept = c.layers * 2 * 2048 * c.keyValueWidth * 4
    #expect(caches(plan(2048, keptTexts: 3)) >= 3 * kept)
    // As many texts as find room before a text of maximum length does not.
    #expect(once.sequenceCapacity == 65)
  }

  /// Streamed and released layers give the same bits over several passes and blocks.
  @Test func policiesAgreeOverPasses() throws {
    let container = try container("llama")
    let lengths = [90, 96, 40, 70]
    for threads in [1, 2] {
      let wanted = try vectors(
        try decoder(container, threads: threads, tokens: 300), batch(lengths))
      for policy in [MemoryPolicy.release, .stream] {
        let other = try decoder(
          try Container(path: container.path, kind: .model, decoding: policy.decoding),
          threads: threads, tokens: 300, policy: policy)
        for _ in 0..<3 { #expect(try vectors(other, batch(lengths)) == wanted, "\(policy.name)") }
      }
    }
  }
}
