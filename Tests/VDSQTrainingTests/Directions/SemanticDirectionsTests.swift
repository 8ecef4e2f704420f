import Foundation
import TestSupport
import Testing
import VDSQ
import VDSQConversion
import VDSQFiles
import VDSQFormat
import VDSQInference
import VDSQKernels
import VDSQSemantics

import VDSQTraining

/// Directions against numpy, scikit-learn and torch (Tools/reference/make_directions.py).
@Suite struct SemanticDirectionsTests {
  private struct Golden: Decodable {
    struct Jacobian: Decodable {
      let shares, vectors: [Float]
    }
    let states: [Float]
    let dimensions: Int
    let positive: [Bool]
    let directions: [String: [Float]]
    let areas: [String: Double]
    let texts: [String]
    let jacobians: [Jacobian]
    let removed, offsets: [Float]
    let erased: [[[Float]]]
  }

  private let golden: Golden
  private let folder: TemporaryFolder

  init() throws {
    golden = try Fixtures.json("directions.json", as: Golden.self)
    folder = try TemporaryFolder()
  }

  private func llama() throws -> TextEncoder {
    let path = folder.path("llama.vdsq")
    let converter = try Converter(folder: Fixtures.path("language-models/llama"), weights: .fp32)
    _ = try converter.write(
      to: path, replace: true, progress: Progress(total: converter.totalBytes) { _ in })
    return try TextEncoder(path: path, options: TextEncoder.Options())
  }

  @Test(arguments: ContrastDirection.Method.allCases)
  func contrastsAreThoseOfTheReference(_ method: ContrastDirection.Method) throws {
    let finder = ContrastDirection(
      FeatureMatrix(golden.states, columns: golden.dimensions), isPositive: golden.positive,
      method: method, arithmetic: MatrixArithmetic(kernels: KernelTable.available()[0]))
    let expected = try #require(golden.directions[method.rawValue])
    #expect(relativeError(finder.vector(), expected) < 1e-4)
    let area = try #require(finder.heldOutAUC())
    #expect(abs(area - (golden.areas[method.rawValue] ?? 0)) < 1e-6)
  }

  /// Directions of a file, in what is removed from states.
  private func write(_ vectors: [Float], offsets: [Float], layer: Int, of model: TextEncoder) throws
    -> String
  {
    let path = folder.path("d\(layer).vdsd"), d = model.hiddenSize
    let writer = try ContainerWriter(path: path, kind: .directions, sectionCount: 3, replace: true)
    var metadata = Metadata()
    metadata.set("model_identity", .integer(Int(model.container.identity)))
    metadata.set("layer", .integer(layer))
    metadata.set("count", .integer(offsets.count))
    metadata.set("method", .text("mean"))
    try writer.add(.metadata, "metadata", metadata.encoded())
    try writer.begin(.weights, "directions")
    try writer.add(
      "directions.vectors", .float32, vectors.map(\.bitPattern.littleEndian), [offsets.count, d])
    try writer.add(
      "directions.offsets", .float32, offsets.map(\.bitPattern.littleEndian), [offsets.count])
    try writer.end()
    _ = try writer.finish()
    return path
  }

  @Test func removedDirectionsAreThoseOfTheReference() throws {
    let model = try llama()
    for layer in 0...model.layers {
      var directions = SteeringDirections()
      directions.remove(
        file: try write(golden.removed, offsets: golden.offsets, layer: layer, of: model))
      let steering = try directions.steering(of: model)
      #expect(steering.layer == layer && steering.removals.count == 2)
      try model.steer(steering)
      for (text, expected) in zip(golden.texts, golden.erased[layer]) {
        #expect(relativeError(try model.vector(of: text), expected) < 1e-4, "layer \(layer)")
      }
    }
  }

  @Test func filesOfSeveralLayersAreRefused() throws {
    let model = try llama()
    var directions = SteeringDirections()
    directions.add(
      file: try write(golden.removed, offsets: golden.offsets, layer: 0, of: model), factor: 1)
    directions.remove(
      file: try write(golden.removed, offsets: golden.offsets, layer: 1, of: model), index: 1)
    #expect(throws: VDSQError.self) { try directions.steering(of: model) }
    directions.layer = 2
    let steering = try directions.steering(of: model)
    #expect(steering.layer == 2 && steering.removals.count == 1)
    directions.remove(file: folder.path("d0.vdsd"), index: 2)
    #expect(throws: VDSQError.self) { try directions.steering(of: model) }
  }

  /// Central differences against torch's autograd.
  @Test func singularVectorsAreThoseOfTheReference() throws {
    let model = try llama()
    for (layer, expected) in golden.jacobians.enumerated() {
      let jacobian = try SteeringJacobian(golden.texts, encoder: model, layer: layer) { _ in }
      let (vectors, shares) = jacobian.singularVectors(3)
      #expect(relativeError(shares, expected.shares) < 1e-4, "layer \(layer)")
      #expect(model.steering == nil)
      for i in 0..<2 where expected.shares[i] > 1.2 * expected.shares[i + 1] {
        let d = model.hiddenSize
        let reference = Array(expected.vectors[i * d..<(i + 1) * d])
        #expect(cosine(vectors[i], reference).magnitude > 0.999, "layer \(layer), \(i)")
      }
    }
  }

  @Test func foundDirectionsCanBeRemoved() throws {
    let fixture = try TrainingFixture()
    let encoder = try fixture.model.encoder(RunOptions())
    let texts = fixture.examples.map(\.text)
    let sides = try SemanticDirections.sides(fixture.examples, toward: "hello")
    #expect(sides == fixture.examples.map { $0.label == "hello" })
    let found = try SemanticDirections(
      texts, isPositive: sides, encoder: encoder, options: SemanticDirections.Options())
    #expect(found.layer == encoder.layers && found.areas.count == encoder.layers + 1)
    #expect(found.areas[found.layer] > 0.9)
    let path = folder.path("h.vdsd")
    _ = try found.write(to: path, replace: false)
    func products() throws -> [Float] {
      try texts.map { text in
        zip(try encoder.vector(of: text), found.vectors[0]).reduce(0) { $0 + $1.0 * $1.1 }
      }
    }
    let before = try products()
    func mean(_ side: Bool) -> Float {
      let own = zip(before, sides).filter { $1 == side }.map(\.0)
      return own.reduce(0, +) / Float(own.count)
    }
    #expect(mean(true) > mean(false))
    var directions = SteeringDirections()
    directions.remove(file: path)
    try encoder.steer(directions)
    // What is left is the offset times lengths that vary a little.
    let after = try products()
    #expect(after.max()! - after.min()! < 0.1 * (before.max()! - before.min()!))
    // Another model's file is refused.
    #expect(throws: VDSQError.self) { try DirectionFile(path: path, for: try llama()) }
  }

  @Test func withoutLabels() throws {
    let fixture = try TrainingFixture()
    let encoder = try fixture.model.encoder(RunOptions())
    var options = SemanticDirections.Options()
    (options.method, options.count, options.layer) = (.pca, 3, 1)
    let texts = fixture.examples.map(\.text)
    let found = try SemanticDirections(texts, encoder: encoder, options: options)
    #expect(found.vectors.count == 3 && found.shares == found.shares.sorted(by: >))
    options.orthogonalTo = [found.vectors[0], found.vectors[1]]
    let rest = try SemanticDirections(
      texts, isPositive: fixture.examples.map { $0.label == "stop" }, encoder: encoder,
      options: {
        var options = options
        options.method = .lda
        return options
      }())
    for known in found.vectors.prefix(2) {
      let product = zip(known, rest.vectors[0]).reduce(Float(0)) { $0 + $1.0 * $1.1 }
      #expect(product.magnitude < 1e-5)
    }
    // Nothing is left of a direction that is made orthogonal to itself.
    options.orthogonalTo = found.vectors
    #expect(throws: VDSQError.self) {
      try SemanticDirections(texts, encoder: encoder, options: options)
    }
  }
}
