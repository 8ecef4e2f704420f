import TestSupport
import Testing
import VDSQ
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQMeasurement
import VDSQSemantics

@Suite struct ModelMeasurementTests {
  private func model(_ folder: TemporaryFolder, coarse: Bool = false) throws -> String {
    let path = folder.path("model.vdsq")
    let converter = try Converter(
      folder: Fixtures.path("bert-mean"), options: .init(weights: .int8, coarse: coarse))
    _ = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    return path
  }

  private func encoder(_ path: String, _ precision: Precision) throws(VDSQError) -> TextEncoder {
    var options = TextEncoder.Options()
    options.precision = precision
    return try TextEncoder(try Container(path: path, kind: .model), options: options)
  }

  private func verification(
    _ path: String, _ checkpoint: String
  ) throws -> (Verification, [(done: Int, total: Int)]) {
    var steps: [(done: Int, total: Int)] = []
    let verification = try Verification(
      try Container(path: path, kind: .model), against: checkpoint, texts: ["hello world", ""],
      openModel: { () throws(VDSQError) in try encoder(path, .integer) },
      openReference: { (path) throws(VDSQError) in try encoder(path, .high) },
      progress: { steps.append(($0, $1)) })
    return (verification, steps)
  }

  @Test func aModelIsVerifiedAgainstItsCheckpoint() throws {
    let folder = try TemporaryFolder()
    let path = try model(folder)
    let (result, steps) = try verification(path, Fixtures.path("bert-mean"))
    #expect(result.isSource)
    #expect(result.fidelity.sameTokens)
    #expect(result.fidelity.texts.count == 2)
    #expect(result.fidelity.mean > 0.98)
    #expect(result.fidelity.mean < 1)
    #expect(steps.allSatisfy { $0.done <= $0.total })
    #expect(steps.last.map { $0.done == $0.total } == true)
  }

  @Test func otherFilesAreNoSource() throws {
    let folder = try TemporaryFolder()
    let path = try model(folder)
    let copy = try folder.copy(ofFixture: "bert-mean")
    _ = try folder.write(Array("{}".utf8), to: "bert-mean/special_tokens_map.json")
    _ = try folder.write(
      Array(try Fixtures.data("bert-mean/config.json")) + [0x0A], to: "bert-mean/config.json")
    let (result, _) = try verification(path, copy)
    #expect(!result.isSource)
    #expect(result.fidelity.mean > 0.98)
  }

  @Test func theFastestPolicyWithinABudgetIsChosen() throws {
    let folder = try TemporaryFolder()
    let path = try model(folder)
    let options = TextEncoder.Options()
    let all = try Footprint.each(of: path, options: options)
    var free = try PolicyComparison(of: all, within: nil, among: MemoryPolicy.all)
    #expect(free.chosen.policy == all[0].policy)
    #expect(free.entries.map(\.footprint.policy) == all.map(\.policy))
    #expect(free.smallestBudget >= all.map(\.peakBytes).min()!)
    try free.measure(path, options: options)
    #expect(free.entries.allSatisfy { ($0.batchSeconds ?? 0) > 0 })
    // One policy alone, with just enough for it.
    let last = all.last!
    let tight = try PolicyComparison(
      of: all, within: last.peakBytes, among: [last.policy])
    #expect(tight.chosen.policy == last.policy)
    #expect(tight.entries.count == 1)
    #expect(throws: VDSQError.self) {
      try PolicyComparison(of: all, within: 1 << 20, among: MemoryPolicy.all)
    }
  }

  @Test func recallIsMeasuredOnEverySixteenthState() throws {
    let folder = try TemporaryFolder()
    let encoder = try encoder(try model(folder, coarse: true), .integer)
    let search = try VocabularySearch(
      encoder.container, shape: [encoder.vocabularySize, encoder.dimensions], approximate: true,
      kernels: encoder.kernels, threads: encoder.threads, capacity: 5)
    var random = Random(9)
    var all = SearchRecall(), none = SearchRecall()
    for _ in 0..<17 {
      let state = random.floats(encoder.dimensions, in: -1...1)
      var exact: [VocabularySearch.Result] = []
      state.withUnsafeBufferPointer { state in
        search.search(state.baseAddress!) { exact.append($0) }
        all.add(exact, state.baseAddress!, search)
        none.add([], state.baseAddress!, search)
      }
    }
    #expect(all.states == 17)
    #expect(all.checked == 2)
    #expect(all.share == 1)
    #expect(none.share == 0)
  }
}
