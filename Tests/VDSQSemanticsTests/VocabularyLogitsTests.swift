import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQInference
import VDSQKernels
import VDSQSemantics

/// Logits, probabilities, gradients and the lens of language models.
@Suite struct VocabularyLogitsTests {
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

  private func logits(_ model: TextEncoder, _ rows: VocabularyRows, top: Int) -> VocabularyLogits {
    VocabularyLogits(rows: rows, kernels: model.kernels, threads: model.threads, capacity: top)
  }

  /// All values and probabilities of a lookup, by id.
  private func all(
    _ logits: VocabularyLogits, _ state: [Float], _ temperature: Float
  ) -> (values: [Float], probabilities: [Float]) {
    var values = [Float](repeating: .nan, count: logits.rows.count)
    var probabilities = values
    logits.find(state, temperature: temperature) {
      values[Int($0.id)] = $0.value
      probabilities[Int($0.id)] = $0.probability
    }
    return (values, probabilities)
  }

  @Test(arguments: Fixtures.languageModels)
  func theHeadsLogitsAreTheReferences(_ name: String) throws {
    for (weights, bound): (Converter.Weights, Float) in [(.fp32, 1e-3), (.fp16, 1e-2)] {
      let model = try open(name, weights, threads: 2)
      let rows = try VocabularyRows(head: model.container)
      let head = logits(model, rows, top: rows.count)
      for example in try LanguageGolden.read(name) {
        let found = all(head, try model.vector(of: example.text), 1)
        #expect(relativeError(found.values, example.logits) < bound, "\(example.text)")
        let largest = example.logits.max()!
        let total = example.logits.reduce(0) { $0 + exp($1 - largest) }
        let expected = example.logits.map { exp($0 - largest) / total }
        #expect(zip(found.probabilities, expected).allSatisfy { ($0 - $1).magnitude < 2e-2 })
      }
    }
    let small = try open(name, .int8)
    let rows = try VocabularyRows(head: small.container)
    let head = logits(small, rows, top: rows.count)
    for example in try LanguageGolden.read(name) {
      let found = all(head, try small.vector(of: example.text), 1)
      #expect(cosine(found.values, example.logits) > 0.99)
    }
  }

  @Test func cosinesAndProbabilitiesAreThoseOfTheBases() throws {
    let model = try open("llama", .fp32)
    let rows = try VocabularyRows(bases: model.container)
    let logits = logits(model, rows, top: rows.count)
    var random = Random(3)
    var scratch: UInt8 = 0
    for tau: Float in [0.02, 0.5] {
      let state = random.floats(rows.dimensions, in: -1...1)
      let found = all(logits, state, tau)
      let expected = (0..<rows.count).map { v in
        var row = [Float](repeating: 0, count: rows.dimensions)
        rows.unitRow(v, model.kernels, &scratch, into: &row)
        return cosine(row, state)
      }
      #expect(relativeError(found.values, expected) < 1e-5)
      #expect((found.probabilities.reduce(0, +) - 1).magnitude < 1e-4)
      let best = expected.indices.max { expected[$0] < expected[$1] }!
      let total = expected.reduce(0) { $0 + exp(($1 - expected[best]) / tau) }
      #expect((found.probabilities[best] - 1 / total).magnitude < 1e-4)
    }
  }

  /// int8 bases with their residual order tokens as fp32 bases do.
  @Test(arguments: ["gpt2", "qwen3", "roberta"])
  func int8BasesFindTheSameTokens(_ name: String) throws {
    let full = try open(name, .fp32)
    let small = try open(name, .int8)
    let exact = logits(full, try VocabularyRows(bases: full.container), top: 10)
    let rounded = logits(small, try VocabularyRows(bases: small.container), top: 10)
    var random = Random(4)
    var same = 0
    for _ in 0..<200 {
      let state = random.floats(full.dimensions, in: -1...1)
      var wanted: Set<Int32> = []
      exact.find(state, temperature: 1) { wanted.insert($0.id) }
      rounded.find(state, temperature: 1) { same += wanted.contains($0.id) ? 1 : 0 }
    }
    #expect(Double(same) / 2000 >= 0.99)
  }

  /// Results do not depend on whether pages are released, and none are resident afterwards.
  @Test func rowsAreReleasedBehindALookup() throws {
    // The residual of int8 rows would be read for candidates afterwards.
    let model = try open("llama", .fp16, threads: 2)
    let view = try #require(
      model.container.find("head.weight") ?? model.container.find("embeddings.word"))
    let rows = try VocabularyRows(head: model)
    let kept = logits(model, rows, top: 5)
    let releasing = VocabularyLogits(
      rows: rows, kernels: model.kernels, threads: model.threads, capacity: 5, releasesRows: true)
    var random = Random(7)
    let state = random.floats(rows.dimensions, in: -1...1)
    func found(_ logits: VocabularyLogits) throws -> (results: [VocabularyLogits.Result], Int) {
      var results: [VocabularyLogits.Result] = []
      logits.find(state, temperature: 1) { results.append($0) }
      let section = view.record.section
      return (results, try #require(model.container.presentBytes(ofSection: section)))
    }
    let (expected, resident) = try found(kept)
    let (results, left) = try found(releasing)
    #expect(results == expected && results.count == 5)
    #expect(resident >= view.record.dataLength && left <= resident - view.record.dataLength + 8192)
    // The gradient goes through all rows, too.
    var gradients = [[Float]](repeating: .init(repeating: 0, count: rows.dimensions), count: 2)
    _ = kept.gradient(state: state, target: 3, temperature: 1, into: &gradients[0])
    _ = releasing.gradient(state: state, target: 3, temperature: 1, into: &gradients[1])
    #expect(gradients[0] == gradients[1])
  }

  @Test(arguments: ["gpt2", "mistral"])
  func gradientsMatchCentralDifferences(_ name: String) throws {
    for weights in [Converter.Weights.fp32, .int8] {
      let model = try open(name, weights)
      let rows = try VocabularyRows(bases: model.container)
      let logits = logits(model, rows, top: 1)
      let d = rows.dimensions
      var bases: [[Double]] = []
      var scratch = [UInt8](repeating: 0, count: d)
      for v in 0..<rows.count {
        var row = [Float](repeating: 0, count: d)
        rows.unitRow(v, model.kernels, &scratch, into: &row)
        bases.append(row.map(Double.init))
      }
      var random = Random(9)
      for tau: Float in [0.05, 0.5] {
        let state = random.floats(d, in: -2...2)
        let target = Int.random(in: 0..<rows.count, using: &random)
        var gradient = [Float](repeating: 0, count: d)
        let loss = logits.gradient(
          state: state, target: Int32(target), temperature: tau, into: &gradient)
        func exact(_ h: [Double]) -> Double {
          let norm = h.reduce(0) { $0 + $1 * $1 }.squareRoot()
          let values = bases.map { zip($0, h).reduce(0) { $0 + $1.0 * $1.1 } / norm / Double(tau) }
          let largest = values.max()!
          return largest + log(values.reduce(0) { $0 + exp($1 - largest) }) - values[target]
        }
        let wide = state.map(Double.init)
        #expect((Double(loss) - exact(wide)).magnitude < 1e-4 * max(1, exact(wide)))
        let numeric = (0..<d).map { j in
          var up = wide, down = wide
          up[j] += 1e-5
          down[j] -= 1e-5
          return Float((exact(up) - exact(down)) / 2e-5)
        }
        #expect(relativeError(gradient, numeric) <= 1e-4, "tau \(tau)")
      }
    }
  }

  @Test(arguments: ["gpt2", "bert"])
  func theLensEndsInTheAnswer(_ name: String) throws {
    let model = try open(name, .fp32)
    let text = try LanguageGolden.read(name)[0].text
    var options = Lens.Options()
    (options.views, options.top, options.temperature) = ([.basis], 3, 0.1)
    let lens = try Array(text.utf8).withUnsafeBytes {
      try Lens($0, encoder: model, options: options)
    }
    let map = lens.maps[0]
    #expect(map.cells.count == model.layers + 1)
    #expect(map.cells.allSatisfy { $0.count == lens.ids.count })
    let place =
      name == "bert" ? lens.ids.firstIndex(of: model.tokenizer.mask!)! : lens.ids.count - 1
    var best: [VocabularyLogits.Result] = []
    logits(model, try VocabularyRows(bases: model.container), top: 3)
      .find(try model.vector(of: text), temperature: 0.1) { best.append($0) }
    #expect(map.cells.last![place].top.map(\.id) == best.map(\.id))
    for (position, first) in map.firstLayers.enumerated() {
      let final = map.cells.last![position].top[0].id
      #expect(map.cells[first][position].top[0].id == final)
      #expect(map.cells[..<first].allSatisfy { $0[position].top[0].id != final })
    }
  }

  /// A label's anchor is the mean of the bases of its words' tokens, each with the space that it
  /// has in the middle of a text.
  @Test func labelsOfLanguageModelsAreBases() throws {
    let model = try open("gpt2", .fp32)
    let rows = try VocabularyRows(bases: model.container)
    let labels = try LabelSet(
      [Label(name: "a", words: ["is"]), Label(name: "b", words: ["is", "of"])], encoder: model,
      template: nil)
    var scratch: UInt8 = 0
    func basis(_ token: String) throws -> [Float] {
      let id = try #require(model.tokenizer.token(Array(token.utf8)))
      var row = [Float](repeating: 0, count: rows.dimensions)
      rows.unitRow(Int(id), model.kernels, &scratch, into: &row)
      return row
    }
    let (first, second) = (try basis(" is"), try basis(" of"))
    #expect(cosine(Array(labels.anchors[..<rows.dimensions]), first) > 0.99999)
    let mean = zip(first, second).map(+)
    #expect(cosine(Array(labels.anchors[rows.dimensions...]), mean) > 0.99999)
  }
}
