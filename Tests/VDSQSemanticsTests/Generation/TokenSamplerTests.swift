import Foundation
import TestSupport
import Testing
import VDSQFormat
import VDSQSemantics

/// The distributions of transformers' logits processors (Tools/reference/make_generation.py), and
/// what is drawn from them.
@Suite struct TokenSamplerTests {
  private struct Golden: Decodable {
    struct Row: Decodable {
      let temperature: Float?
      let top_k: Int?
      let top_p: Float?
      let min_p: Float?
      let ids: [Int32]
      let probabilities: [Float]

      var options: SamplingOptions {
        var options = SamplingOptions()
        options.temperature = temperature ?? 1
        options.topK = top_k ?? 0
        options.topP = top_p ?? 1
        options.minP = min_p ?? 0
        return options
      }
    }

    struct Distributions: Decodable {
      let logits: [Float]
      let rows: [Row]
    }

    let distributions: Distributions

    static let all = try! JSONDecoder().decode(
      Golden.self, from: Fixtures.data("generation.json")
    ).distributions
  }

  @Test(arguments: Golden.all.rows.indices)
  func distributionsAreTheReferences(_ index: Int) throws {
    let row = Golden.all.rows[index]
    var logits = Golden.all.logits
    let sampler = try TokenSampler(row.options, count: logits.count)
    let found = logits.withUnsafeMutableBufferPointer { sampler.distribution($0.baseAddress!) }
    // Without top-k, top-p and min-p, the likeliest are all that is asked for here.
    let isCut = row.top_k != nil || row.top_p != nil || row.min_p != nil
    if isCut { #expect(found.map(\.id) == row.ids) }
    guard isCut else { return }
    for (candidate, probability) in zip(found, row.probabilities) {
      #expect(abs(candidate.probability - probability) < 2e-6)
    }
  }

  /// What is drawn many times has the probabilities of the distribution.
  @Test(arguments: [0, 1, 2, 5]) func drawsFollowTheDistribution(_ index: Int) throws {
    let row = Golden.all.rows[index]
    let sampler = try TokenSampler(row.options, count: Golden.all.logits.count)
    sampler.begin()
    var counts: [Int32: Int] = [:]
    let draws = 20_000
    for _ in 0..<draws {
      var logits = Golden.all.logits
      let id = logits.withUnsafeMutableBufferPointer { sampler.choose($0.baseAddress!) }
      counts[try #require(id), default: 0] += 1
    }
    #expect(Set(counts.keys).isSubset(of: row.ids))
    for (id, probability) in zip(row.ids, row.probabilities).prefix(8) {
      let share = Float(counts[id] ?? 0) / Float(draws)
      let deviation = (probability * (1 - probability) / Float(draws)).squareRoot()
      #expect(abs(share - probability) < 5 * deviation + 1e-4)
    }
  }

  @Test func seedsDecide() throws {
    func draw(_ seed: UInt64, stream: UInt64 = 0) throws -> [Int32?] {
      var options = SamplingOptions()
      (options.temperature, options.seed) = (2, seed)
      let sampler = try TokenSampler(options, count: Golden.all.logits.count)
      sampler.begin(stream: stream)
      return (0..<20).map { _ in
        var logits = Golden.all.logits
        return logits.withUnsafeMutableBufferPointer { sampler.choose($0.baseAddress!) }
      }
    }
    #expect(try draw(1) == draw(1))
    #expect(try draw(1) != draw(2))
    #expect(try draw(1) != draw(1, stream: 1))
  }

  @Test func penaltiesAndMasks() throws {
    var options = SamplingOptions()
    options.repetitionPenalty = 2
    let sampler = try TokenSampler(options, count: 4)
    sampler.begin()
    func best(_ logits: [Float]) -> Int32? {
      var logits = logits
      return logits.withUnsafeMutableBufferPointer { sampler.choose($0.baseAddress!) }
    }
    #expect(best([1, 3, 2, 0]) == 1)
    sampler.note(1)
    #expect(best([1, 3, 2, 0]) == 2)
    #expect(best([-9, -3, -5, -9]) == 2)
    #expect(best([-.infinity, -.infinity, -.infinity, -1]) == 3)
    // Equal logits: the lower id.
    #expect(best([0, -9, 5, 5]) == 2)
    let none = [Float](repeating: -.infinity, count: 4)
    #expect(best(none) == nil)
  }

  @Test(arguments: [-1, .infinity] as [Float]) func optionsOutOfRangeAreRefused(_ value: Float) {
    for key in [\SamplingOptions.temperature, \.topP, \.minP, \.repetitionPenalty] {
      var options = SamplingOptions()
      options[keyPath: key] = value
      #expect(throws: VDSQError.self) { _ = try TokenSampler(options, count: 4) }
    }
  }
}
