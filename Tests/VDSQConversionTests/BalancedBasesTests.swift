import Foundation
import TestSupport
import Testing
import VDSQCheckpoints
import VDSQConversion
import VDSQFormat
import VDSQInference
import VDSQSemantics

/// Balanced bases against numpy (Tools/reference/make_bases.py), and in converted models.
@Suite struct BalancedBasesTests {
  private struct Golden: Decodable {
    let bias: [Double]
    let common: [Double]
    let lengths: [Double]
    let temperature: Double
  }

  private let folder: TemporaryFolder

  init() throws { folder = try TemporaryFolder() }

  private func values(_ name: String, _ change: (Float) -> Double) throws -> (rows: [[Double]], Int)
  {
    let tensor = try NPYFile(path: Fixtures.path("bases/\(name).npy")).tensor
    let rows = try (0..<tensor.rows).map { row in
      let values: [Float] = try tensor.read(rows: row..<row + 1)
      return values.map(change)
    }
    return (rows, tensor.columns)
  }

  /// The common vector, the lengths and the temperature, whatever the size of a tile.
  @Test(arguments: [7, 64, 4096]) func solutionIsNumPys(_ tileRows: Int) throws {
    let golden = try Fixtures.json("bases/balanced.json", as: Golden.self)
    let (rows, d) = try values("full") { Double($0) * 8 + 0.1 }
    let (states, _) = try values("states") { Double($0) * 2 + 1 }
    let head = HeadMatrix(name: "head", rows: rows.count, columns: d) { range, out in
      for (i, value) in rows[range].joined().enumerated() { out[i] = value }
    }
    let bases = try BalancedBases(
      head,
      observation: ModelObservation(
        states: states.flatMap { $0 }, dimensions: d, bias: golden.bias),
      algebra: try LinearAlgebra(threads: 1), tileRows: tileRows, progress: { _ in })
    for (a, b) in zip(bases.common, golden.common) { #expect((a - b).magnitude < 1e-6) }
    for (a, b) in zip(bases.reciprocalNorms, golden.lengths) {
      #expect((Double(a) * b - 1).magnitude < 1e-5)
    }
    #expect((bases.temperature / golden.temperature - 1).magnitude < 1e-6)
  }

  /// Cosines of a converted model are those of rows plus the common vector, for all types of weights
  /// and for a masked model; the file says how they were made.
  @Test(arguments: ["gpt2", "llama", "roberta"], Converter.Weights.allCases)
  func cosinesAreThoseOfShiftedRows(_ name: String, _ weights: Converter.Weights) throws {
    let path = folder.path("m.vdsq")
    _ = try Converter(folder: Fixtures.path("language-models/\(name)"), weights: weights).write(
      to: path, replace: true, progress: Progress(total: 1) { _ in })
    let encoder = try TextEncoder(path: path, options: .init())
    let file = try Container(path: path, kind: .model)
    try file.verify()
    #expect(file.metadata.find("bases_method") == "balanced")
    let bases = try VocabularyRows(bases: encoder)
    #expect(bases.temperature.map { $0 > 0 } ?? false)
    #expect(file.find("bases.rows") == nil)
    let d = bases.dimensions
    let common = try file.floats("bases.common", shape: [d])
    let logits = VocabularyLogits(rows: bases, encoder: encoder, capacity: bases.count)
    let matrix = try HeadMatrix(model: file, embedding: false)
    var head = [Double](repeating: 0, count: matrix.rows * d)
    try head.withUnsafeMutableBufferPointer {
      try matrix.read(0..<matrix.rows, $0.baseAddress!)
    }
    for golden in try LanguageGolden.read(name).prefix(2) {
      let norm = golden.state.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
      var total = 0.0
      logits.find(golden.state, temperature: 0.1) { result in
        var product = 0.0, square = 0.0
        for j in 0..<d {
          let value = head[Int(result.id) * d + j] + Double(common[j])
          product += value * Double(golden.state[j])
          square += value * value
        }
        let expected = product / norm / square.squareRoot()
        #expect((expected - Double(result.value)).magnitude < 4e-3, "\(result.id)")
        total += Double(result.probability)
      }
      #expect((total - 1).magnitude < 0.02)
    }
  }

  /// A converted file is the same each time, and does not depend on the number of threads.
  @Test func conversionsAreRepeatable() throws {
    var files: [Data] = []
    for threads in [1, 2] {
      var options = Converter.Options()
      options.threads = threads
      let path = folder.path("\(threads).vdsq")
      _ = try Converter(folder: Fixtures.path("language-models/gpt2"), options: options).write(
        to: path, replace: false, progress: Progress(total: 1) { _ in })
      files.append(try Data(contentsOf: URL(fileURLWithPath: path)))
    }
    #expect(files[0] == files[1])
  }

  /// Rows without a variance, and a single state, have bases too.
  @Test func rowsThatAreAllAlike() throws {
    let head = HeadMatrix(name: "head", rows: 100_000, columns: 8) { range, out in
      for i in 0..<range.count * 8 { out[i] = 0.1 }
    }
    let bases = try BalancedBases(
      head,
      observation: ModelObservation(states: [1, 2, 3, 4, 5, 6, 7, 8], dimensions: 8, bias: nil),
      algebra: try LinearAlgebra(threads: 1), tileRows: 64, progress: { _ in })
    #expect(bases.common.allSatisfy { $0.isFinite } && bases.temperature > 0)
    #expect(bases.reciprocalNorms.allSatisfy { $0.isFinite })
  }

  /// Without a model there is nothing to balance with.
  @Test func aHeadAloneIsRefused() throws {
    let tensor = try NPYFile(path: Fixtures.path("bases/full.npy")).tensor
    let error = #expect(throws: VDSQError.self) {
      try BasesSolver(try HeadMatrix(tensor), options: BasesOptions())
    }
    #expect(error?.category == .usage)
  }
}
