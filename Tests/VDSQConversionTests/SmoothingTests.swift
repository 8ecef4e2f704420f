import Foundation
import TestSupport
import Testing
import VDSQConversion
import VDSQFormat
import VDSQInference

/// Scales of the activations' columns, and what they do to models.
@Suite struct SmoothingTests {
  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  @discardableResult
  private func convert(
    _ source: String, to name: String, _ change: (inout Converter.Options) -> Void
  ) throws -> Container {
    var options = Converter.Options()
    options.bases = nil
    change(&options)
    let converter = try Converter(folder: Fixtures.path(source), options: options)
    _ = try converter.write(
      to: folder.path(name), replace: true,
      progress: Progress(total: converter.totalBytes) { _ in })
    let container = try Container(path: folder.path(name))
    try container.verify()
    return container
  }

  private func states(_ container: Container, _ precision: Precision) throws -> [[Float]] {
    var options = TextEncoder.Options()
    options.precision = precision
    let encoder = try TextEncoder(container, options: options)
    return try ["hello world", "the quick brown fox 12!", "café"].map { text in
      try Array(text.utf8).withUnsafeBytes { try encoder.hiddenStates(of: $0).states }
        + encoder.vector(of: text)
    }
  }

  /// All layers' states are the same up to rounding, because producers absorb what consumers gain:
  /// norms with and without bias, shared heads of values, biases, a parallel residual, gates.
  @Test(arguments: Fixtures.languageModels + Fixtures.models)
  func scalesChangeNothingInFloats(_ name: String) throws {
    let source = Fixtures.languageModels.contains(name) ? "language-models/\(name)" : name
    let plain = try convert(source, to: "plain") {
      $0.weights = .fp32
      $0.smoothing = .none
    }
    let scaled = try convert(source, to: "scaled") {
      $0.weights = .fp32
      $0.smoothing = .exponent(0.5)
    }
    for (a, b) in zip(try states(plain, .high), try states(scaled, .high)) {
      #expect(relativeError(b, a) < 2e-5)
    }
    let changed = plain.tensors.map(\.name).filter { name in
      let a = try? StoredRows(plain, name), b = try? StoredRows(scaled, name)
      var left: [Float] = [], right: [Float] = []
      a?.row(0, into: &left)
      b?.row(0, into: &right)
      return left != right
    }
    let c = try Architecture(plain.metadata)
    guard c.layersPerGroup == 1 else {
      #expect(changed.isEmpty)
      return
    }
    #expect(changed.contains("layer.0.attention.output.weight"))
    #expect(changed.allSatisfy { $0.hasPrefix("layer.") })
    let isPre = c.normPlacement == .pre || c.normPlacement == .around
    #expect(
      changed.contains("layer.0.attention.norm.weight") == (isPre && !c.skipsFirstNorm))
    #expect(changed.contains("layer.1.feed_forward.norm.weight") == isPre)
    #expect(
      changed.contains("layer.0.feed_forward.down.weight") == (c.isGated || c.activation == .relu))
  }

  @Test func scalesAreNeverWrittenUnasked() throws {
    let none = try convert("language-models/llama", to: "none") { $0.smoothing = .none }
    #expect(none.metadata.find("smoothing_method") == nil)
    let floats = try convert("language-models/llama", to: "fp16") { $0.weights = .fp16 }
    #expect(floats.metadata.find("smoothing_method") == nil)
    let encoder = try convert("bert-mean", to: "encoder") { _ in }
    #expect(encoder.metadata.find("smoothing_method") == nil)
    let kept = try convert("language-models/llama", to: "kept") {
      $0.keep = [try! WeightRule("layer=fp16")]
    }
    #expect(kept.metadata.find("smoothing_method") == nil)
  }

  @Test func filesSayHowTheyWereScaled() throws {
    let file = try convert("language-models/llama", to: "m") { _ in }
    #expect(file.metadata.find("smoothing_method") == "minimum_error")
    #expect(
      file.metadata.find("smoothing_calibration_text") == "sha256:" + CalibrationText.digest)
    let layers = try Architecture(file.metadata).layers
    #expect(try file.metadata.find(integer: "smoothing_inputs", in: 0...1000) == 4 * layers)
    let error = try #require(try file.metadata.find(number: "smoothing_error"))
    #expect(error > 0 && error < 1)
    let given = try convert("language-models/llama", to: "g") { $0.smoothing = .exponent(0.25) }
    #expect(given.metadata.find("smoothing_method") == "smoothquant")
    #expect(try given.metadata.find(number: "smoothing_exponent") == 0.25)
  }

  /// One layer at a time in a small memory, all at once otherwise; one thread or several.
  @Test(arguments: ["llama", "gpt2", "gpt-neox"])
  func bytesDoNotDependOnThreadsOrMemory(_ name: String) throws {
    for (file, threads, budget) in [("a", 1, nil), ("b", 3, nil), ("c", 2, 1 << 30)] {
      try convert("language-models/\(name)", to: file) {
        $0.threads = threads
        $0.budget = budget
      }
    }
    let first = try Data(contentsOf: folder.url.appendingPathComponent("a"))
    for other in ["b", "c"] {
      #expect(try Data(contentsOf: folder.url.appendingPathComponent(other)) == first)
    }
  }

  // MARK: Scales

  private static let columns = 48

  /// Inputs with three large columns, and weights.
  private func search(shares: Int = 1) -> (SmoothingScales, inputs: [Float], weights: [Float]) {
    var random = Random(7)
    let d = Self.columns
    let inputs = random.floats(200 * d, in: -1...1).enumerated().map {
      $1 * ([3, 17, 40].contains($0 % d) ? 30 : 1)
    }
    let weights = random.floats(64 * d, in: -1...1)
    return (
      SmoothingScales(
        inputs: inputs, weights: weights, scales: (0..<d).map { $0 / shares }, count: d / shares),
      inputs, weights
    )
  }

  @Test(arguments: [0, 0.3, 0.5, 1], [1, 2, 4])
  func exponentsFollowTheFormula(_ exponent: Double, _ shares: Int) {
    let (search, inputs, weights) = search(shares: shares)
    func maxima(_ values: [Float]) -> [Double] {
      (0..<Self.columns / shares).map { scale in
        values.enumerated().filter { $0.offset % Self.columns / shares == scale }
          .map { Double($0.element.magnitude) }.max()!
      }
    }
    let wanted = zip(maxima(inputs), maxima(weights)).map {
      exponent * log($0) - (1 - exponent) * log($1)
    }
    let mean = wanted.reduce(0, +) / Double(wanted.count)
    for (found, wanted) in zip(search.scales(exponent: exponent), wanted) {
      #expect((log(Double(found)) - (wanted - mean)).magnitude < 0.005)
    }
  }

  /// The relative squared error of products of rounded inputs and rounded weights.
  private func measured(_ inputs: [Float], _ weights: [Float], _ scales: [Float]) -> Double {
    let d = Self.columns
    func rows(_ values: [Float], _ change: (Float, Float) -> Float) -> [[Float]] {
      stride(from: 0, to: values.count, by: d).map { first in
        (0..<d).map { change(values[first + $0], scales[$0]) }
      }
    }
    func rounded(_ row: [Float], _ step: Float) -> [Float] {
      row.map { ($0 / step).rounded() * step }
    }
    let x = rows(inputs, /), w = rows(weights, *)
    let roundedW = w.map { rounded($0, $0.map(\.magnitude).max()! / 127) }
    var error = 0.0
    for (token, row) in x.enumerated() {
      let q = rounded(row, (row.max()! - row.min()!) / 255)
      let length = inputs[token * d..<(token + 1) * d].reduce(0) { $0 + $1 * $1 }
      for (a, b) in zip(w, roundedW) {
        let exact = zip(row, a).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        let ours = zip(q, b).reduce(Float(0)) { $0 + $1.0 * $1.1 }
        error += Double((exact - ours) * (exact - ours) / length)
      }
    }
    return error
  }

  @Test func theExpectedErrorIsThatOfRoundedProducts() {
    let (search, inputs, weights) = search()
    for scales in [
      [Float](repeating: 1, count: Self.columns), search.scales(exponent: 0.5),
      search.minimizing(),
    ] {
      let ratio = search.error(scales) / 12 / measured(inputs, weights, scales)
      #expect(ratio > 0.8 && ratio < 1.25)
    }
  }

  @Test func theDescentIsBelowEveryExponent() {
    let (search, _, _) = search()
    let least = search.error(search.minimizing())
    #expect(least < 0.5 * search.error([Float](repeating: 1, count: Self.columns)))
    for exponent in [0.25, 0.5, 0.75] {
      #expect(least < search.error(search.scales(exponent: exponent)))
    }
  }

  @Test func columnsOfZerosAreLeftAlone() {
    let search = SmoothingScales(
      inputs: [0, 1, 0, -2], weights: [1, 0, 1, 0], scales: [0, 1], count: 2)
    #expect(search.minimizing().allSatisfy { $0.isFinite && $0 > 0 })
    #expect(search.scales(exponent: 0.5) == [1, 1])
  }
}
